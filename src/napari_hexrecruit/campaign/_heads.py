"""Heads of the cubes of a campaign: everything except their values, read by the workers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit import schema
from napari_hexrecruit.campaign._windows import merged_attrs
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.schema import COORDINATES, HEX, TIME, VARIABLES
from napari_hexrecruit.storage.cube_parts import cube_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_hexrecruit.campaign._manifest import Entry
    from napari_hexrecruit.storage.cube_parts import CubeParts

OF_HEX = tuple(name for name, spec in COORDINATES.items() if spec.dims == (HEX,))


@dataclass(frozen=True, eq=False)
class Head:
    """A cube without its values.

    Attributes
    ----------
    hexes
        Coordinates of the hexagons by name.
    variables
        Names of the variables over time and hexagons.
    attrs
        Attributes of the cube.
    start_ms, n_bins
        Start of the first bin, and number of bins.
    """

    hexes: dict[str, npt.NDArray[Any]]
    variables: tuple[str, ...]
    attrs: dict[str, Any]
    start_ms: float
    n_bins: int

    def sharing(self, known: dict[bytes, npt.NDArray[Any]]) -> Head:
        """Return this head with equal arrays shared with other heads, which saves memory."""
        hexes = {
            name: known.setdefault(values.dtype.str.encode() + values.tobytes(), values)
            for name, values in self.hexes.items()
        }
        return replace(self, hexes=hexes)


def read_heads(cubes: Sequence[Sequence[Path]]) -> list[list[Head]]:
    """Read the heads of the cubes of some simulations, on a worker."""
    return [[_read_head(path) for path in windows] for windows in cubes]


def head_of(entry: Entry, heads: Sequence[Head]) -> Head:
    """Return the head of a simulation from those of its windows."""
    first = heads[0]
    for head in heads[1:]:
        if any(not np.array_equal(first.hexes[n], head.hexes[n]) for n in OF_HEX):
            raise HexRecruitError(
                f"{entry.path}: its windows have other hexagons: compute them again"
            )
    if len(heads) == 1 and not entry.dropped_ms:
        return first
    try:
        attrs = merged_attrs(
            [head.attrs for head in heads],
            dropped_ms=entry.dropped_ms,
            judged=entry.judgement.warnings if entry.judgement else (),
        )
    except ValueError as error:
        raise HexRecruitError(f"{entry.path}: {error}") from error
    return replace(first, attrs=attrs, n_bins=sum(head.n_bins for head in heads))


def attrs_of_variables(path: Path) -> dict[str, dict[str, Any]]:
    """Return the attributes of a cube's variables and coordinates; they are equal in all cubes."""
    with _reading(path), cube_parts(path) as cube:
        attrs = {name: cube.attrs(name) for name in (*_variables(cube), *COORDINATES)}
        return attrs | {schema.TIME_BOUNDS: {"units": attrs[TIME]["units"]}}


def _read_head(path: Path) -> Head:
    with _reading(path), cube_parts(path) as cube:
        hexes = {name: cube.values(name) for name in OF_HEX}
        start_ms = float(cube.values(TIME)[0])
        return Head(hexes, _variables(cube), cube.attrs(), start_ms, cube.length(TIME))


def _variables(cube: CubeParts) -> tuple[str, ...]:
    """Return the variables of spikes in the order of the schema, then others by name."""
    found = cube.over_time
    return (*(n for n in VARIABLES if n in found), *(n for n in found if n not in VARIABLES))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Report errors of reading with the name of the cube."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise HexRecruitError(
            f"{path}: cannot be read as a cube ({reason}): run the campaign again"
        ) from error
