"""Voxel volumes of the brain: flat positions, regions and columns at positions in the brain.

Uses nrrd files and hierarchies of regions; must not use SONATA, hexagons or spikes.
"""
