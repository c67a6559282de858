"""SONATA simulations: their populations, neurons, node sets and spikes.

Only this package uses bluepysnap, libsonata, conntility and the layout of SONATA's HDF5 files.
bluepysnap opens the configurations; those that it refuses are read as JSON. h5py reads the HDF5
files, and node sets are resolved on the columns read.

Specification: https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
"""

from napari_hexrecruit.sonata._config_values import Stimulus
from napari_hexrecruit.sonata._edges import Edges, NoEdgesError
from napari_hexrecruit.sonata._reports import Report, ReportConfig
from napari_hexrecruit.sonata._simulation import Simulation, open_simulation
from napari_hexrecruit.sonata._spikes import OLD_LAYOUT, Spikes, SpikeTrain

__all__ = [
    "OLD_LAYOUT",
    "Edges",
    "NoEdgesError",
    "Report",
    "ReportConfig",
    "Simulation",
    "SpikeTrain",
    "Spikes",
    "Stimulus",
    "open_simulation",
]
