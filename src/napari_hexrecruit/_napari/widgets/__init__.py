"""Widgets that several panels share: fields, folding groups, progress.

Must not know cubes or layers.
"""
