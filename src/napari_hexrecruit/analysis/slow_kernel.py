"""Spikes seen through a slow indicator, for comparison with widefield imaging."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.metrics import is_cumulative, metric_of
from napari_hexrecruit.schema import (
    HEX,
    N_NEURONS,
    N_SPIKES,
    N_TRIALS,
    QUANTITIES_VERSION,
    RECRUITMENT,
    TIME,
    notes_of,
)

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]

CALCIUM = "calcium"


def calcium(cube: xr.Dataset, *, rise_ms: float = 50.0, decay_ms: float = 500.0) -> xr.Dataset:
    """Convolve the spikes of each hexagon with a kernel that rises and decays exponentially.

    Parameters
    ----------
    cube
        A recruitment cube of bins.
    rise_ms, decay_ms
        Time constants of the kernel, ``exp(-t / decay) - exp(-t / rise)`` with integral 1; a rise
        of 0 is a jump. The rise must be shorter than the decay.

    Returns
    -------
    xr.Dataset
        The cube with ``calcium`` (time, hex) float32, spikes/s per neuron. The total is conserved:
        the sum over all bins plus the part that follows the last bin equals that of the spikes; a
        note states the part that follows. NaN if the hexagon has no value.

    Raises
    ------
    ValueError
        If a time constant is out of range, or the cube has no spikes of bins.

    Notes
    -----
    Spikes are assumed to be spread evenly over their bin, and the result is the mean over each bin.
    The weights of the kernel are exact for this, so that bins of any width conserve the total.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> calcium(cube)["calcium"].attrs["units"]
    'spikes/s per neuron'
    """
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    _check(cube, rise_ms, decay_ms)
    width = float(cube.attrs["bin_ms"])
    kernel = _Kernel(width, rise_ms, decay_ms)
    values = np.empty((cube.sizes[TIME], cube.sizes[HEX]), np.float32)
    spikes = seen = 0.0
    for part in parts_of(cube):
        bins = cube[[N_SPIKES, RECRUITMENT]].isel({TIME: part}).load()
        counts = bins[N_SPIKES].values.astype(np.float64)
        values[part] = kernel.convolved(counts)
        spikes, seen = spikes + counts.sum(), seen + float(values[part].sum(dtype=np.float64))
        values[part][np.isnan(bins[RECRUITMENT].values)] = np.nan
    per_neuron = np.maximum(cube[N_NEURONS].values, 1) * (width / 1000.0)
    values /= (per_neuron * int(cube.attrs.get(N_TRIALS, 1))).astype(np.float32)
    to_come = 100.0 * (1.0 - seen / spikes) if spikes else 0.0
    note = f"calcium: {to_come:.3g} % of the total follows after the last bin"
    label = f"Calcium-like, rise {rise_ms:g} ms, decay {decay_ms:g} ms"
    attrs = {"long_name": label, "units": "spikes/s per neuron"}
    return cube.assign({CALCIUM: ((TIME, HEX), values, attrs)}).assign_attrs(
        schema_version=QUANTITIES_VERSION, notes=json.dumps([*notes_of(cube), note])
    )


def _check(cube: xr.Dataset, rise_ms: float, decay_ms: float) -> None:
    if is_cumulative(cube):
        raise ValueError("the cube counts the neurons recruited so far: use a cube of bins")
    if not (np.isfinite(decay_ms) and decay_ms > 0):
        raise ParameterError(
            Parameter("decay_ms"), f"must be greater than 0 ms, not {decay_ms!r}", "use 500"
        )
    if not 0 <= rise_ms < decay_ms:
        raise ParameterError(
            Parameter("rise_ms"), f"must be from 0 to below {decay_ms:g} ms, not {rise_ms!r}"
        )


class _Kernel:
    """Convolution bin by bin, with a state that carries the tails of earlier bins."""

    def __init__(self, width: float, rise_ms: float, decay_ms: float) -> None:
        spread = decay_ms - rise_ms
        self._terms: list[tuple[float, float]] = []
        here = width
        for constant, sign in ((decay_ms, 1.0), (rise_ms, -1.0)):
            left = float(np.exp(-width / constant)) if constant > 0 else 0.0
            here -= sign * constant**2 * (1.0 - left) / spread
            self._terms.append((left, sign * constant**2 * (1.0 - left) ** 2 / (spread * width)))
        self._here = here / width
        self._states: list[Floats] = []

    def convolved(self, counts: Floats) -> Floats:
        """Return the (n_bins, n_hexes) convolution of the bins after those of the last call."""
        if not self._states:
            self._states = [np.zeros(counts.shape[1]) for _ in self._terms]
        made = np.empty(counts.shape)
        for k, row in enumerate(counts):
            made[k] = self._here * row
            for (left, weight), state in zip(self._terms, self._states, strict=True):
                made[k] += weight * state
                state *= left
                state += row
        return made
