"""The panel *Recruitment*: from the fields of a form to the cube of a layer.

Calls `napari_hexrecruit.pipeline` in a separate thread. Must not know about other panels.
"""
