"""SONATA simulations: their populations, neurons, node sets and spikes.

The only package that knows bluepysnap, libsonata, conntility and the layout of SONATA's HDF5 files.
bluepysnap opens the configuration and the circuit and resolves node sets; spikes are read with
h5py.

Specification: https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
"""

from napari_hexrecruit.sonata._simulation import Simulation, Stimulus, open_simulation
from napari_hexrecruit.sonata._spikes import Spikes

__all__ = ["Simulation", "Spikes", "Stimulus", "open_simulation"]
