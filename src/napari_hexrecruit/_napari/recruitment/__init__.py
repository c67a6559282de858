"""The panel *Recruitment*: from the fields of a form to the cube of a layer.

Asks `napari_hexrecruit.pipeline` in a thread of its own. Must not know other panels.
"""
