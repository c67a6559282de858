"""Maps of p, adjusted for the number of hexagons tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


def fdr(p_map: xr.DataArray) -> xr.DataArray:
    """Adjust a map of p to control the false discovery rate.

    Parameters
    ----------
    p_map
        p of each hexagon, of any dimensions; NaN if a hexagon has none.

    Returns
    -------
    xr.DataArray
        p adjusted after Benjamini and Hochberg over all values except NaN, which stays NaN. Among
        the hexagons with an adjusted p of at most q, the expected share of false ones is at most q.

    Raises
    ------
    ValueError
        If no hexagon has a value, or one is not between 0 and 1.

    Examples
    --------
    >>> import xarray as xr
    >>> fdr(xr.DataArray([0.01, float("nan"), 0.04], dims="hex")).values.tolist()
    [0.02, nan, 0.04]
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p_map.values, dtype=np.float64)
    known = ~np.isnan(p)
    if not known.any():
        raise ValueError("no hexagon has a p: the map is NaN everywhere")
    wrong = known & ~((p >= 0.0) & (p <= 1.0))
    if wrong.any():
        raise ValueError(f"p must be between 0 and 1, not {p[wrong][0]:g}")
    adjusted = np.full(p.shape, np.nan)
    adjusted[known] = false_discovery_control(p[known])
    label = {"long_name": "p, adjusted for the false discovery rate", "units": ""}
    return p_map.copy(data=adjusted).assign_attrs(label)
