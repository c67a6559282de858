"""What a hexagon layer is: markers, colours, limits, time stamp, selected hexagons.

Knows about cubes and napari. Must not know about panels.
"""
