"""Names of parameters in panels: the labels of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.command_line import as_option

if TYPE_CHECKING:
    from napari_hexrecruit.errors import Parameter

_LABELS = {
    "bin_ms": "Bin",
    "circuit": "Circuit in Other files",
    "clim": "Limits",
    "column": "Regions by",
    "colormap": "Colormap",
    "flat": "Flat x, Flat y",
    "fps": "Frames per s",
    "hemisphere": "Hemispheres",
    "min_neurons": "Min. neurons",
    "mirror": "Mirrored",
    "node_set": "Node set",
    "pixel_size": "Pixel size",
    "population": "Population",
    "radius": "Radius",
    "report": "Show",
    "size": "Width and Height",
    "spikes": "Spikes in Other files",
    "start": "Start",
    "statistic": "Statistic",
    "step": "Step",
    "stop": "Stop",
    "where": "Filter by",
}
"""Labels by parameter; other parameters have no field."""


def in_panel(parameter: Parameter) -> str:
    """Return the name of a parameter in the panels, or its option if no field has it.

    Examples
    --------
    >>> from napari_hexrecruit.errors import Parameter
    >>> in_panel(Parameter("flat", ("x", "z"))), in_panel(Parameter("node_set", ("all",)))
    ('Flat x, Flat y: x, z', 'Node set: all')
    >>> in_panel(Parameter("allow_empty"))
    '--allow-empty on the command line'
    """
    label = _LABELS.get(parameter.name)
    if label is None:
        return f"{as_option(parameter)} on the command line"
    values = ", ".join(map(str, parameter.values))
    return f"{label}: {values}" if values else label
