"""Read and write files: cubes, caches, run files, and outputs that are complete or absent.

Uses netCDF, zarr and HDF5, and checks files before it trusts them; must not use SONATA or napari.
"""
