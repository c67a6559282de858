"""The panel *Traces*: values of hexagons over time, under the time slider.

Must not know how cubes are computed.
"""
