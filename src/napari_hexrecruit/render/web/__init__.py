"""A cube as a web page: one file that needs no network, server or third-party code.

Python packs values and texts; the files in `assets` draw them in the browser. Must not know
simulations, napari or notebook kernels.
"""
