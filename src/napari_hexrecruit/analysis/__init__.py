"""Questions to recruitment cubes: pure functions, labelled arrays in and out.

`traces` reads hexagons over time, `selection` turns hexagons into neurons and back, `compare` sets
two cubes against each other, `trials` cuts a cube around onsets, `maps` gives one number per
hexagon, `waves` fits a travelling front. ``docs/analysis.md`` has the formulas.

What can be drawn is a recruitment cube with one more variable: a metric of
`napari_hexrecruit.metrics` shows it in the viewer, in pictures and in movies.
"""
