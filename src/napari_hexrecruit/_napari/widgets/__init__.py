"""Widgets that several panels share: fields, folding groups, progress.

Must not know about cubes or layers.
"""
