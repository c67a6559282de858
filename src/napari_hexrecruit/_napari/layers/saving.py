"""File names for saving cubes: from the dialog here, or typed into napari's own dialog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog

from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.private.saving import saves_by_ending
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.storage.cubes import ENDING, ENDINGS
from napari_hexrecruit.storage.zarr_store import ZARR_ENDING

_KINDS = {
    f"Recruitment cube (*{ENDING})": ENDING,
    f"Recruitment cube, zarr folder (*{ZARR_ENDING})": ZARR_ENDING,
}


def with_ending(path: str, ending: str = ENDING) -> str:
    """Return a path with an ending of cubes: its own, or else `ending`.

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


def file_name(name: str) -> str:
    """Return the name of a layer as a file name, without an ending.

    Examples
    --------
    >>> file_name("cortex, layer 4/5")
    'cortex__layer_4_5'
    """
    kept = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in name)
    return kept.strip().replace(" ", "_")


def ask_for_cube(parent: Any, name: str) -> tuple[Path, bool] | None:
    """Ask where to save a cube.

    Parameters
    ----------
    parent
        Parent widget of the dialog.
    name
        Name of the layer, from which the dialog's default file name is made.

    Returns
    -------
    path : Path
        Chosen path, with the ending of a cube.
    confirmed : bool
        Whether the dialog has asked about exactly this name; if True, an existing file may be
        replaced.
    """
    chosen, kind = QFileDialog.getSaveFileName(
        parent, "Save cube", file_name(name) + ENDING, ";;".join(_KINDS)
    )
    if not chosen:
        return None
    final = with_ending(chosen, _KINDS.get(kind, ENDING))
    return Path(final), final == chosen


def take_names_of_cubes(viewer: Any) -> None:
    """Make *Save Selected Layers* of a viewer write a cube if the typed name ends like one.

    Parameters
    ----------
    viewer
        The viewer. A second call changes nothing.
    """
    saves_by_ending(getattr(viewer, "__wrapped__", viewer).layers, _cube_name)


def _cube_name(path: str, layers: Sequence[Layer]) -> str:
    """Return the file name of the cube that a typed name stands for, or an empty string."""
    is_ours = path.endswith(ENDINGS)
    if len(layers) == 1 and cube_of(layers[0]) is not None:
        if not path.endswith((".nc", ".zarr")):
            return ""
        final = with_ending(path, ZARR_ENDING if path.endswith(".zarr") else ENDING)
        if final != path and Path(final).exists():  # the dialog asked about another name
            raise FileExistsError(f"{final}: exists: choose another name, or type the whole ending")
        return final
    if is_ours and len(layers) > 1:
        raise HexRecruitError(
            f"{Path(path).name}: a recruitment cube holds one layer, and {len(layers)} were to be"
            " saved: select one layer of hexagons and choose File > Save Selected Layers"
        )
    if is_ours and layers:
        raise HexRecruitError(
            f"{Path(path).name}: layer {layers[0].name!r} shows no recruitment cube: select a layer"
            " of hexagons, or use another ending"
        )
    return ""
