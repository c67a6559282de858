"""What the viewer reads and no command does, as the command line would run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS"]


def _regions(flatmap: str, annotation: str, hierarchy: str) -> None:
    from napari_hexrecruit.flatmap import footprint_image, read_flatmap, read_ids, region_areas

    positions = read_flatmap(flatmap)
    footprint_image(positions)
    region_areas(positions, read_ids(annotation), hierarchy)


def _campaign(sources: str) -> None:
    from napari_hexrecruit.campaign import list_simulations

    found = list_simulations(sources)
    assert found.members
    assert set(found.axes) <= set(found.parameters)


CALLS: dict[str, Callable[..., None]] = {"@regions": _regions, "@campaign": _campaign}
"""By the first word of a plan's command."""
