"""Analyses of recruitment cubes: pure functions, labelled arrays in and out.

`traces` reads hexagons over time, `selection` turns hexagons into neurons and back, `comparison`
compares two cubes, `trials` cuts a cube around onsets, `latencies` and `maps` give one number per
hexagon, `waves` fits a travelling front. ``docs/analysis.md`` has the formulas.

A result that can be drawn is a recruitment cube with one more variable: a metric of
`napari_hexrecruit.metrics` shows it in the viewer, in pictures and in movies.

All public names can be imported from here, and load on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
