"""Questions to recruitment cubes: pure functions, labelled arrays in and out.

`traces` reads hexagons over time, `selection` turns hexagons into neurons and back, `comparison`
sets two cubes against each other, `trials` cuts a cube around onsets, `latencies` and `maps` give
one number per hexagon, `waves` fits a travelling front. ``docs/analysis.md`` has the formulas.

What can be drawn is a recruitment cube with one more variable: a metric of
`napari_hexrecruit.metrics` shows it in the viewer, in pictures and in movies.

Everything public is importable from here, and loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
