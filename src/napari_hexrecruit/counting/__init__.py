"""Spikes in any order, and the hexagon of each neuron, become counts.

Holds the only compiled code. Must not know files, SONATA or cubes' outputs.
"""
