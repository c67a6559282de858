"""The panels *Compare*, *Trials*, *Maps*, *Waves* and *Selection*.

Call `napari_hexrecruit.analysis` and add its results as layers. Must not compute anything.
"""
