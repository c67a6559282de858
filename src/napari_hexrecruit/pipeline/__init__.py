"""Compute a recruitment cube from a simulation and a recipe, or report why that is impossible.

Uses SONATA and counting; must not use pictures, campaigns or napari.
"""
