"""Numbers per hexagon as labelled arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.metrics import metric_named
from napari_hexrecruit.schema import COORDINATES, HEX

if TYPE_CHECKING:
    import xarray as xr


AMPLITUDE = "amplitude"
"""Coordinate of a map of latencies: how strongly each hexagon responds."""


def hex_array(cube: xr.Dataset, values: npt.NDArray[Any], name: str, **attrs: str) -> xr.DataArray:
    """Label an array with one number per hexagon of a cube.

    Parameters
    ----------
    cube
        Cube with the hexagons.
    values
        (n_hexes,) numbers.
    name
        Name of a metric in `napari_hexrecruit.metrics.DERIVED`, which gives label and units.
    **attrs
        Attributes that replace those of the metric and the cube.

    Returns
    -------
    xr.DataArray
        (hex,) float64 with the coordinates of the hexagons; its attributes include the cube's
        ``hex_radius`` and ``bin_ms``.
    """
    import xarray as xr

    shown = metric_named(name)
    return xr.DataArray(
        np.asarray(values, dtype=np.float64),
        {coord: cube[coord] for coord in COORDINATES if cube[coord].dims == (HEX,)},
        (HEX,),
        name=shown.variable,
        attrs={
            "long_name": shown.label,
            "units": shown.units,
            **{attr: float(cube.attrs[attr]) for attr in ("hex_radius", "bin_ms")},
            **attrs,
        },
    )
