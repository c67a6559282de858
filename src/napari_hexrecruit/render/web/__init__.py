"""A cube as a web page: one file that needs no network, no server and nothing of others.

Python packs values and texts; the files in `assets` draw them in the browser. It knows nothing of
simulations, napari or notebooks' kernels.
"""
