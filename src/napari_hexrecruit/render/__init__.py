"""A cube becomes pictures and movies, without a screen and without GL.

Knows cubes and metrics. Must not know simulations or napari.
"""
