"""A cube becomes pictures, movies and web pages, without a screen and without GL.

Knows cubes and metrics. Must not know simulations or napari.
"""
