"""What a hexagon layer is: markers, colours, limits, time stamp, selected hexagons.

Knows cubes and napari. Must not know panels.
"""
