"""Words in a picture: titles of its panels, and what its colours show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.metrics import Metric
    from napari_hexrecruit.render.style import MovieStyle


def panel_titles_of(style: MovieStyle, n_cubes: int) -> tuple[str, ...]:
    """Return a title for each cube; raise a ValueError if there are some, but not one each."""
    if len(style.panel_titles) not in (0, n_cubes):
        raise ValueError(
            f"panel_titles has {len(style.panel_titles)} titles for {n_cubes} cubes: give one each"
        )
    return style.panel_titles or ("",) * n_cubes


def check_same_quantity(metric: Metric, cubes: Sequence[xr.Dataset]) -> None:
    """Raise a ValueError if the metric means different quantities, or units, in the cubes."""
    quantities = list({metric.title_for(cube): None for cube in cubes})
    if len(quantities) > 1:
        raise ValueError(
            f"the cubes show different quantities, {' and '.join(quantities)}, which cannot share"
            " colours: compute all of them the same way"
        )


def mean_label(metric: Metric, cube: xr.Dataset) -> str:
    """Return the title of the population mean; empty if the metric has no such mean."""
    if not metric.pools:
        return ""
    quantity = metric.title_for(cube)
    is_name = quantity[1:2].isupper()  # such as GABA
    return f"Whole population: {quantity if is_name else quantity[0].lower() + quantity[1:]}"


def colour_label(style: MovieStyle, quantity: str) -> str:
    """Return the title of the colour bar."""
    if style.colorbar_label is not None:
        return style.colorbar_label
    return quantity if style.average == 1 else f"{quantity}, mean of {style.average} bins"
