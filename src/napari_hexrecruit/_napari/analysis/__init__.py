"""The panels *Compare*, *Trials*, *Maps*, *Waves* and *Selection*.

Ask `napari_hexrecruit.analysis` and add what it answers as layers. Must not compute anything.
"""
