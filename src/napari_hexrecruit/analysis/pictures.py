"""Figures of traces; no display is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.schema import HEX, N_NEURONS, TIME
from napari_hexrecruit.text import legend_of, set_text, warn_of_missing

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00")
"""Okabe and Ito's colours, which can be told apart with any colour vision."""
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
_TEXT, _MUTED = "#222222", "#8a8a8a"
_NAMED = " "
"""Prefix of labels, because matplotlib hides labels that begin with an underscore."""
_MOST_NAMED = 21
"""Most hexagons with a name: colours times dashes. More are all drawn in the same grey."""


def trace_figure(
    traces: xr.Dataset,
    population: xr.DataArray | None = None,
    *,
    size: tuple[float, float] = (7.0, 3.2),
) -> Figure:
    """Draw the traces of hexagons, their mean, and the population.

    Parameters
    ----------
    traces
        Result of `hex_traces`.
    population
        Result of `population_trace` for the same cube; None to leave it out.
    size
        Width and height, inches.

    Returns
    -------
    matplotlib.figure.Figure
        One line per hexagon through the middles of the bins; for several hexagons, their mean as a
        thicker line; the population as a grey area. With more than 21 hexagons the lines are grey
        and unnamed.

    Warns
    -----
    RecruitmentWarning
        If no font of the computer has some characters of the names; boxes replace them.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    middles = traces[TIME].values + float(traces.attrs["bin_ms"]) / 2.0
    if population is not None:
        axes.fill_between(middles, population, color="#dddddd", linewidth=0, label="Population")
    _draw_hexes(axes, traces, middles)
    n_hexes = traces.sizes[HEX]
    if n_hexes > 1 and np.isfinite(traces["mean"]).any():
        n_neurons = int(traces[N_NEURONS].sum())
        label = f"Mean of {n_hexes} ({n_neurons:,} neurons)"
        mean = traces["mean"].where(np.isfinite(traces["mean"]))
        axes.plot(middles, mean, color="black", linewidth=2.2, label=label)
    attrs = traces["trace"].attrs
    units = f" ({attrs['units']})" if attrs["units"] else ""
    quantity = f"{attrs['long_name']}{units}"
    axes.set_xlabel("Time (ms)", color=_TEXT)
    axes.set_ylabel("", color=_TEXT)
    set_text(axes.yaxis.label, quantity)
    if float(np.nanmin(traces["trace"].values, initial=0.0)) >= 0.0:
        axes.set_ylim(bottom=0.0)
    axes.set_xlim(middles[0] - traces.attrs["bin_ms"], middles[-1] + traces.attrs["bin_ms"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_MUTED)
    axes.tick_params(colors=_TEXT)
    handles, labels = axes.get_legend_handles_labels()
    names = [label.removeprefix(_NAMED) for label in labels]
    legend_of(axes, handles, names, bbox_to_anchor=(1.0, 1.0), labelcolor=_TEXT)
    warn_of_missing([quantity, *traces[HEX].values.astype(str)])
    return figure


def _draw_hexes(axes: Axes, traces: xr.Dataset, middles: np.ndarray[tuple[int], np.dtype]) -> None:
    names = traces[HEX].values.astype(str)
    named = len(names) <= _MOST_NAMED
    marker = "o" if len(middles) == 1 else ""
    for k, name in enumerate(names):
        axes.plot(
            middles,
            traces["trace"].values[:, k],
            color=_COLOURS[k % len(_COLOURS)] if named else _MUTED,
            linestyle=_DASHES[k // len(_COLOURS)] if named else "-",
            linewidth=1.3 if named else 0.6,
            alpha=1.0 if named else 0.4,
            marker=marker,
            label=f"{_NAMED}{name}" if named else None,
        )
