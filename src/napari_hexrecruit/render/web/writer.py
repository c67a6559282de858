"""Cubes to a web page in a single file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import METRICS, metric_of
from napari_hexrecruit.render.scene import Underlay, checked_line
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.render.web.content import Look, content
from napari_hexrecruit.render.web.packing import (
    BITS,
    bins_per_block,
    blocks_of,
    packed,
    plan,
    stored_in,
)
from napari_hexrecruit.render.web.page import page_parts
from napari_hexrecruit.render.window import resolve_window
from napari_hexrecruit.render.words import panel_titles_of
from napari_hexrecruit.schema import HEX, N_RECRUITED, RECRUITMENT, TIME
from napari_hexrecruit.storage.atomic import check_writable, written_aside

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.metrics import Metric
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.render.web.packing import Stored
    from napari_hexrecruit.render.window import Shown

ENDINGS = (".html", ".htm")
_LARGEST_BYTES = 100_000_000


def write_html(
    cubes: xr.Dataset | Sequence[xr.Dataset],
    path: str | os.PathLike[str],
    *,
    metric: str | Sequence[str] | None = None,
    clim: tuple[float, float] | None = None,
    colormap: str | None = None,
    start: float | None = None,
    stop: float | None = None,
    step: float | None = None,
    title: str = "",
    panel_titles: Sequence[str] = (),
    marks: Sequence[Any] = (),
    under: Underlay | tuple[Any, Any] | None = None,
    outlines: Sequence[npt.ArrayLike] = (),
    labels: Sequence[tuple[float, float, str]] = (),
    opacity: float = 1.0,
    dilation: float | None = None,
    bits: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write cubes as a web page that plays in any browser, without a network.

    Parameters
    ----------
    cubes
        A recruitment cube, or several with the same time axis, which are shown side by side.
    path
        ``.html`` file to write.
    metric
        Metrics that the page can show, the initial one first. A page of recruitment always includes
        the number of recruited neurons, because that takes no more bytes.
    clim, colormap
        Colours of the first metric, as for `MovieStyle`.
    start, stop, step
        Bins to show, ms, as for `render_frames`.
    title, panel_titles, marks, opacity
        As for `MovieStyle`.
    under, outlines
        Image under the hexagons and lines over them, as for `render_frames`.
    labels
        x, y and text of names over the hexagons.
    dilation
        Seconds of playback per second of simulation; None: a frame takes 1/20 s.
    bits
        8 or 16: store values as codes of this many bits instead of exact counts.
    overwrite
        Replace an existing file.
    progress
        Called as ``progress(what, done, total)``. An exception that it raises ends the work.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If the name does not end in ``.html``, a dataset is not a recruitment cube, the window is
        empty, time axes differ, an option is not allowed, or the page would exceed 100 MB.
    FileExistsError
        If the file exists and `overwrite` is False.
    OSError
        If the file cannot be written.

    Notes
    -----
    The page contains counts and numbers of neurons, and the browser computes percentages from them,
    so that values are exact. Values of analyses, which are not counts, are stored in 16 bits; the
    page states their step. The file appears only when it is complete.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> write_html(cube, folder.name + "/run.html", title="A sample", clim=(0, 50)).name
    'run.html'
    >>> folder.cleanup()
    """
    check_html_output(path, overwrite=overwrite)
    page = html_page(
        cubes,
        metric=metric,
        clim=clim,
        colormap=colormap,
        start=start,
        stop=stop,
        step=step,
        title=title,
        panel_titles=panel_titles,
        marks=marks,
        under=under,
        outlines=outlines,
        labels=labels,
        opacity=opacity,
        dilation=dilation,
        bits=bits,
        progress=progress,
    )
    return write_page(page, path, overwrite=overwrite)


def write_page(
    parts: Iterable[str], path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write the parts of a page; see `write_html` for the errors."""
    final = Path(path)
    check_html_output(final, overwrite=overwrite)
    with (
        written_aside(final, overwrite=overwrite) as aside,
        open(aside, "w", encoding="utf-8", newline="\n") as file,
    ):
        file.writelines(parts)
    return final


def check_html_output(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Check a name before any work: refuse what `write_html` would refuse."""
    final = Path(path)
    if final.suffix.lower() not in ENDINGS:
        raise ValueError(f"{final}: is not the name of a web page: end it in .html")
    check_writable(final, overwrite=overwrite)


def html_page(
    cubes: xr.Dataset | Sequence[xr.Dataset],
    *,
    metric: str | Sequence[str] | None = None,
    clim: tuple[float, float] | None = None,
    colormap: str | None = None,
    start: float | None = None,
    stop: float | None = None,
    step: float | None = None,
    title: str = "",
    panel_titles: Sequence[str] = (),
    marks: Sequence[Any] = (),
    under: Underlay | tuple[Any, Any] | None = None,
    outlines: Sequence[npt.ArrayLike] = (),
    labels: Sequence[tuple[float, float, str]] = (),
    opacity: float = 1.0,
    dilation: float | None = None,
    bits: int | None = None,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Make the page in parts.

    Parameters
    ----------
    cubes
        As for `write_html`.
    metric, clim, colormap, start, stop, step, title, panel_titles, marks, under, outlines
        As for `write_html`.
    labels, opacity, dilation, bits
        As for `write_html`.
    progress
        As for `write_html`.

    Raises
    ------
    ValueError
        See `write_html`.
    """
    sources = [as_cube(one) for one in _each(cubes)]
    names = [metric] if metric is None or isinstance(metric, str) else list(metric)
    look = _look(names, clim, colormap, title, panel_titles, marks, opacity, dilation, bits)
    over = Look(
        clim=look.clim,
        colormap=look.colormap,
        title=look.title,
        panel_titles=panel_titles_of(look, len(sources)),
        marks=look.marks,
        under=under if under is None or isinstance(under, Underlay) else Underlay(*under),
        outlines=tuple(checked_line(line) for line in outlines),
        labels=tuple(_label(*label) for label in labels),
        opacity=look.opacity,
        dilation=dilation,
    )
    shown = resolve_window(sources, start, stop, step)
    metrics = list({metric_of(sources, name): None for name in names})
    if metrics[0].name == RECRUITMENT and bits is None:
        metrics = list(dict.fromkeys([*metrics, METRICS[N_RECRUITED]]))
    described = content(sources, metrics, shown, over)
    blocks = _pack(sources, metrics, shown, bits, described, progress)
    return page_parts(described, blocks)


def _look(
    names: Sequence[str | None],
    clim: tuple[float, float] | None,
    colormap: str | None,
    title: str,
    panel_titles: Sequence[str],
    marks: Sequence[Any],
    opacity: float,
    dilation: float | None,
    bits: int | None,
) -> MovieStyle:
    """Return the options shared with movies, checked in the same way."""
    if not names:
        raise ValueError("metric is empty: name what the page shows, as in metric='recruitment'")
    if bits is not None and bits not in BITS:
        raise ValueError(f"bits must be 8 or 16, not {bits!r}")
    if dilation is not None and not (np.isfinite(dilation) and dilation > 0):
        raise ValueError(f"dilation must be greater than 0 seconds per second, not {dilation}")
    return MovieStyle(
        metric=names[0],
        clim=clim,
        colormap=colormap,
        title=title,
        panel_titles=tuple(panel_titles),
        marks=tuple(marks),
        opacity=opacity,
    )


def _label(x: float, y: float, text: str) -> tuple[float, float, str]:
    if not (np.isfinite(x) and np.isfinite(y)):
        raise ValueError(f"the label {text!r} must be at a finite x and y, not at ({x}, {y})")
    return float(x), float(y), str(text)


def _pack(
    cubes: Sequence[xr.Dataset],
    metrics: Sequence[Metric],
    shown: Shown,
    bits: int | None,
    described: dict[str, Any],
    progress: Progress | None,
) -> list[tuple[str, str]]:
    """Pack all values, and add their positions to the description.

    Raises
    ------
    ValueError
        If the values would take more than 100 MB.
    """
    blocks: list[tuple[str, str]] = []
    n_bytes, done, total = 0, 0, len(cubes) * len(shown.bins)
    for panel, cube in enumerate(cubes):
        plans = [plan(cube, metric, shown, bits) for metric in metrics]
        distinct = stored_in(plans, metrics, cube)
        means: list[list[npt.NDArray[np.float64]]] = [[] for _ in metrics]
        for k, block in enumerate(blocks_of(shown, cube.sizes[HEX])):
            part = cube.isel({TIME: block}).load()
            for number, (stored, metric) in enumerate(distinct.items()):
                text = packed(part, metric, stored)
                blocks.append((f"values-{panel}-{number}-{k}", text))
                n_bytes += len(text)
            for mean, metric in zip(means, metrics, strict=True):
                mean.append(metric.population(part))
            done += part.sizes[TIME]
            _check_size(n_bytes, done / total)
            if progress is not None:
                progress("pack values", done, total)
        described["panels"][panel] |= {
            "binsPerBlock": bins_per_block(cube.sizes[HEX]),
            "variables": [_variable(stored) for stored in distinct],
            "variableOf": [list(distinct).index(stored) for stored in plans],
            "population": [_numbers(np.concatenate(mean)) for mean in means],
        }
    return blocks


def _variable(stored: Stored) -> dict[str, Any]:
    return {"kind": stored.kind, "bits": stored.bits, "low": stored.low, "step": stored.step}


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _check_size(n_bytes: int, share: float) -> None:
    if n_bytes > _LARGEST_BYTES:
        raise ValueError(
            f"the page would have about {n_bytes / share / 1e6:,.0f} MB, and"
            f" {_LARGEST_BYTES / 1e6:.0f} MB are the most: show fewer bins (start, stop, step),"
            " or give bits=8"
        )


def _each(cubes: Any) -> Sequence[Any]:
    """Return one cube or several as a sequence; anything else is checked and refused later."""
    return cubes if isinstance(cubes, Sequence) and not isinstance(cubes, str) else [cubes]
