"""Voxel volumes of the brain: flat positions, regions and columns of places in it.

Knows nrrd files and hierarchies of regions. Must not know SONATA, hexagons or spikes.
"""
