"""The only user of private names of napari and vispy.

A new release of napari breaks here or nowhere. Must not know cubes.
"""
