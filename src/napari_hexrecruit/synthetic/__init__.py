"""A SONATA simulation with a known answer: for samples, tests and benchmarks.

`write_simulation` writes a simulation that opens in bluepysnap and conntility like any other. Its
content is a `Story`: stimuli start a wave of recruitment that travels over two areas of the sheet.
The story is planned in counts of neurons per hexagon and bin, so `Story.expected` knows these
numbers without reading a spike.
"""

from napari_hexrecruit.synthetic.plan import BIN_MS
from napari_hexrecruit.synthetic.sheet import RADIUS_UM, REGIONS, Sheet
from napari_hexrecruit.synthetic.story import MEDIUM, NBS1, SMALL, Expected, Story
from napari_hexrecruit.synthetic.writer import FIBRES, NODE_SET, POPULATION, write_simulation

__all__ = [
    "BIN_MS",
    "FIBRES",
    "MEDIUM",
    "NBS1",
    "NODE_SET",
    "POPULATION",
    "RADIUS_UM",
    "REGIONS",
    "SMALL",
    "Expected",
    "Sheet",
    "Story",
    "write_simulation",
]
