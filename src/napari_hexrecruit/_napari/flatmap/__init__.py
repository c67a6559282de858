"""The panel *Flat map*: images, regions and their alignment under the hexagons.

Must not know about spikes.
"""
