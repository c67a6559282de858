"""Names and colours of the regions of an atlas, from its ``hierarchy.json``."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Colour = tuple[int, int, int]

_LAYER_NAME = re.compile(r"\blayers?\s*[1-6][1-6ab/-]*$", re.IGNORECASE)
_LAYER_ACRONYM = re.compile(r"(^|[\s,;_-])L[1-6][1-6ab/]*$", re.IGNORECASE)
_GOLDEN = 0.618033988749895


@dataclass(frozen=True)
class Area:
    """A region of the cortical sheet: its id, acronym, name, and colour if it has one."""

    id: int
    acronym: str
    name: str
    colour: Colour | None = None


def read_areas(path: Path, ids: Iterable[int], *, layers_apart: bool = False) -> dict[int, Area]:
    """Read the area that each region of an annotation belongs to.

    Parameters
    ----------
    path
        ``hierarchy.json`` of an atlas, in the Allen Institute's layout.
    ids
        Ids of the annotation.
    layers_apart
        If True, layers are separate areas. They lie over each other on the cortical sheet, so by
        default a region that is a layer by name or acronym counts as its parent.

    Returns
    -------
    dict of int to Area
        Area by id; an id that the hierarchy lacks is a separate area, named by its number.

    Raises
    ------
    SimulationDataError
        If the file is missing or is not a hierarchy.
    """
    from voxcell import RegionMap
    from voxcell.exceptions import VoxcellError

    try:
        regions = RegionMap.load_json(str(path))
        known = {int(one): bool(regions.find(int(one), "id")) for one in ids}
        if not any(known.values()):
            raise ValueError("it has none of the annotation's ids")
        return {
            one: _area(regions, one, layers_apart) if found else Area(one, str(one), str(one))
            for one, found in known.items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError, VoxcellError) as error:
        raise SimulationDataError(
            path,
            f"is not a hierarchy of regions ({' '.join(str(error).split())})",
            "give the hierarchy.json of the atlas",
        ) from error


def distinct_colour(n: int) -> Colour:
    """Return a colour for the n-th area without one: hues are a golden section apart."""
    red, green, blue = colorsys.hsv_to_rgb((n * _GOLDEN) % 1.0, 0.55, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def _area(regions: Any, region: int, layers_apart: bool) -> Area:
    upward = zip(
        *(regions.get(region, attr, with_ascendants=True) for attr in ("id", "acronym", "name")),
        strict=True,
    )
    chain = [(int(number), str(acronym), str(name)) for number, acronym, name in upward]
    depth = 0
    while not layers_apart and depth < len(chain) - 1 and _is_layer(*chain[depth][1:]):
        depth += 1
    return Area(*chain[depth], _colour(regions, chain[depth][0]))


def _is_layer(acronym: str, name: str) -> bool:
    """Whether a region is a layer: name like "..., layer 2/3", or acronym like "S1FL;L4"."""
    return bool(_LAYER_NAME.search(name) or _LAYER_ACRONYM.search(acronym))


def _colour(regions: Any, region: int) -> Colour | None:
    from voxcell.exceptions import VoxcellError

    try:
        text = str(regions.get(region, "color_hex_triplet")).lstrip("#")
        red, green, blue = bytes.fromhex(text)
    except (VoxcellError, ValueError):
        return None
    return red, green, blue
