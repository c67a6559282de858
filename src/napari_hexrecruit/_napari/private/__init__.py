"""The only user of private names of napari and vispy.

If a new release of napari breaks the package, it breaks it here. Must not know about cubes.
"""
