"""Traces as files: a picture for print, or a table. Knows neither napari nor Qt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_hexrecruit._napari.traces.plot import PAPER, TracePlot, add_legend
from napari_hexrecruit._napari.traces.raster import Raster
from napari_hexrecruit._napari.traces.traces import Strip, Traces
from napari_hexrecruit.storage.atomic import written_aside

PICTURE_ENDINGS = (".png", ".svg")
TABLE_ENDING = ".csv"
_INCHES = (7.5, 3.0)
_RASTER_INCHES = 1.6
_DPI = 200
_RASTER_CELLS = (1200, 400)
_LAYOUT_DPI = 96.0
_LEGEND_PX, _COLUMN_PX, _LEFT_PX = 24.0, 110.0, 66.0


def write_picture(
    path: Path,
    strip: Strip,
    traces: Traces | None,
    raster: Raster | None = None,
) -> None:
    """Write the shown traces as a picture, dark on white and with a legend.

    Parameters
    ----------
    path
        File that ends with ``.png`` (200 dots per inch) or ``.svg`` (text stays text). An existing
        file is replaced when the new one is complete.
    strip, traces
        Population, and picked hexagons if any.
    raster
        Spikes of the hexagons; None: no raster.

    Raises
    ------
    ValueError
        If the name has a different ending.
    OSError
        If the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in PICTURE_ENDINGS:
        raise ValueError(
            f"{path.name}: cannot be written: let the name end with .png, .svg or .csv"
        )
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = _INCHES[1] + (_RASTER_INCHES if raster else 0.0)
    figure = Figure(figsize=(_INCHES[0], height), dpi=_LAYOUT_DPI)
    FigureCanvasAgg(figure)
    plot = TracePlot(figure, PAPER)
    legend_px = 0.0 if traces is None or not traces.lines else _COLUMN_PX
    plot.set_margins(_LEFT_PX, _LEGEND_PX + legend_px)
    plot.show_strip(strip)
    plot.show_traces(traces)
    if raster is not None:
        plot.show_raster(raster.picture(*_RASTER_CELLS), raster.n_lines)
    if traces is not None:
        add_legend(plot, traces)
    same_bytes: Any = {"svg.hashsalt": "napari-hexrecruit", "svg.fonttype": "none"}
    dated = {"Date": None} if ending == ".svg" else {"Software": None}
    with rc_context(same_bytes), written_aside(path, overwrite=True) as aside:
        figure.savefig(aside, dpi=_DPI, metadata=dated, format=ending[1:])


def write_table(path: Path, traces: Traces | None) -> None:
    """Write the values of traces as CSV; an existing file is replaced.

    Raises
    ------
    ValueError
        If no hexagon is selected, so that there are no values.
    OSError
        If the file cannot be written.
    """
    if traces is None:
        raise ValueError("no hexagon is selected, so the table would be empty: click some")
    with written_aside(path, overwrite=True) as aside:
        aside.write_text(traces.csv(), encoding="utf-8")
