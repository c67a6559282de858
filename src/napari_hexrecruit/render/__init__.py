"""Pictures, movies and web pages of cubes, without a screen and without GL.

Knows cubes and metrics. Must not know simulations or napari.
"""
