"""Computes a recruitment cube from a simulation and a recipe, or reports why that is impossible.

Uses SONATA and counting; must not use pictures, campaigns or napari.
"""
