"""Asking for the name of a cube that is to be saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog

from napari_hexrecruit.storage.cubes import ENDING, ENDINGS
from napari_hexrecruit.storage.zarr_store import ZARR_ENDING

_KINDS = {
    f"Recruitment cube (*{ENDING})": ENDING,
    f"Recruitment cube, zarr folder (*{ZARR_ENDING})": ZARR_ENDING,
}


def with_ending(path: str, ending: str = ENDING) -> str:
    """A name with the ending of a cube: its own, or else this one.

    Examples
    --------
    >>> with_ending("run"), with_ending("run.hexrecruit.zarr"), with_ending("run.nc")
    ('run.hexrecruit.nc', 'run.hexrecruit.zarr', 'run.hexrecruit.nc')
    """
    if path.endswith(ENDINGS):
        return path
    for part in (".nc", ".zarr", ".hexrecruit"):
        path = path.removesuffix(part)
    return path + ending


def ask_for_cube(parent: Any, name: str) -> tuple[Path, bool] | None:
    """Ask where to save a cube.

    Parameters
    ----------
    parent
        The Qt widget that the dialog is over.
    name
        What is saved, which the offered file is called after.

    Returns
    -------
    path : Path
        With the ending of a cube.
    confirmed : bool
        Whether the dialog has asked about exactly this name: then it may be replaced.
    """
    offered = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in name)
    chosen, kind = QFileDialog.getSaveFileName(
        parent, "Save cube", offered.strip().replace(" ", "_") + ENDING, ";;".join(_KINDS)
    )
    if not chosen:
        return None
    final = with_ending(chosen, _KINDS.get(kind, ENDING))
    return Path(final), final == chosen
