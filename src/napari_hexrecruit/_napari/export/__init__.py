"""The panel *Export*: movies of the canvas or of the renderer, and "Copy as command".

Must not know how cubes are computed.
"""
