"""The web page in a notebook: an object that displays itself, without server or extension."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.render.web.writer import html_page, write_page

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.render.scene import Underlay

_LARGEST_BYTES = 15_000_000
"""Largest page in a cell; larger ones make notebooks slow to open and save."""
_SMALLEST_HEIGHT = 200


def show(
    cubes: xr.Dataset | Sequence[xr.Dataset],
    *,
    height: int = 820,
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
) -> HtmlPlayer:
    """Show cubes in a notebook, with the same web page as `write_html`.

    Parameters
    ----------
    cubes
        A recruitment cube, or several with the same time axis, which are shown side by side.
    height
        Height of the player, px; its width is that of the notebook.
    metric, clim, colormap, start, stop, step, title, panel_titles, marks, under, outlines
        As for `write_html`.
    labels, opacity, dilation, bits
        As for `write_html`.

    Returns
    -------
    HtmlPlayer
        Displayed at the end of a cell, or with ``display``. `HtmlPlayer.save` writes the page.

    Raises
    ------
    ValueError
        As for `write_html`, or if the height is less than 200.

    Notes
    -----
    The player is part of the notebook and needs no kernel: it also plays in the HTML that nbconvert
    writes. Pages of more than 15 MB are not embedded; a message with alternatives is shown instead.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> player = show(cube, clim=(0, 50))
    >>> player.save(folder.name + "/run.html").name
    'run.html'
    >>> folder.cleanup()
    """
    if height < _SMALLEST_HEIGHT:
        raise ValueError(f"height must be {_SMALLEST_HEIGHT} px or more, not {height!r}")
    parts = html_page(
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
    )
    return HtmlPlayer("".join(parts), int(height))


class HtmlPlayer:
    """A web page that a notebook displays; `show` returns it.

    Parameters
    ----------
    page
        Text of the page.
    height
        Height of the player, px.
    """

    def __init__(self, page: str, height: int) -> None:
        self._page, self._height = page, height

    def __repr__(self) -> str:
        return f"<HtmlPlayer of {self._megabytes:.1f} MB; save(path) writes it>"

    @property
    def _megabytes(self) -> float:
        return len(self._page.encode("utf-8")) / 1e6

    def _repr_html_(self) -> str:
        """Return the page in an iframe that can run its own script but access nothing else."""
        if self._megabytes * 1e6 > _LARGEST_BYTES:
            return (
                f"<p>This page has {self._megabytes:.0f} MB, too much for a notebook: show fewer"
                " bins (<code>start</code>, <code>stop</code>, <code>step</code>), give"
                " <code>bits=8</code>, or write it with <code>.save(path)</code>.</p>"
            )
        return (
            f'<iframe title="Recruitment over time" srcdoc="{escape(self._page)}"'
            ' sandbox="allow-scripts allow-downloads allow-modals"'
            f' style="width: 100%; height: {self._height}px; border: 0"></iframe>'
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page as a file; see `write_html` for the errors."""
        return write_page([self._page], path, overwrite=overwrite)
