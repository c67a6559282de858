"""A simulation and a recipe become a recruitment cube, or a report of why they cannot.

Knows both SONATA and counting. Must not know pictures, campaigns or napari.
"""
