"""Files in and out: cubes, caches, run files, and outputs that are whole or absent.

Knows netCDF, zarr and HDF5, which it reads with distrust. Must not know SONATA or napari.
"""
