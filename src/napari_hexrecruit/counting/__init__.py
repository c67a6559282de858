"""Counting: from spikes in any order, and the hexagon of each neuron, to counts.

Has the only compiled code. Must not know files, SONATA or outputs of cubes.
"""
