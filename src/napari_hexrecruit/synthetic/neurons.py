"""Neurons of a story: their positions and types, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.hexgrid import unit_corners
from napari_hexrecruit.synthetic.plan import CLASSES, INH_SHARE
from napari_hexrecruit.synthetic.sheet import RADIUS_UM, REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.synthetic.story import Story

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

OUTSIDE_REGION = "S1DZ"
"""Region of neurons that are not simulated."""
N_COLUMNS = 13
"""Number of columns from `neuron_columns`."""
_SHRINK = 0.98
"""Scale of the hexagon in which neurons are placed, to keep them away from its edges."""
_CURVATURE_PER_UM = 2e-5
"""Curvature of the sheet in space."""


class _MType(NamedTuple):
    mtype: str
    layer: str
    synapse_class: str
    etype: str
    morph_class: str
    weight: float


_MTYPES = (
    _MType("L2_TPC:A", "2", "EXC", "cADpyr", "PYR", 6),
    _MType("L2_TPC:B", "2", "EXC", "cADpyr", "PYR", 5),
    _MType("L3_TPC:A", "3", "EXC", "cADpyr", "PYR", 14),
    _MType("L3_TPC:C", "3", "EXC", "cADpyr", "PYR", 5),
    _MType("L4_SSC", "4", "EXC", "cADpyr", "PYR", 8),
    _MType("L4_TPC", "4", "EXC", "cADpyr", "PYR", 10),
    _MType("L5_TPC:A", "5", "EXC", "cADpyr", "PYR", 12),
    _MType("L5_TPC:C", "5", "EXC", "cADpyr", "PYR", 7),
    _MType("L6_BPC", "6", "EXC", "cADpyr", "PYR", 9),
    _MType("L6_TPC:A", "6", "EXC", "cADpyr", "PYR", 15),
    _MType("L1_NGC-DA", "1", "INH", "bNAC", "INT", 3),
    _MType("L1_DAC", "1", "INH", "cNAC", "INT", 2),
    _MType("L23_LBC", "2", "INH", "bAC", "INT", 3),
    _MType("L23_MC", "3", "INH", "cAC", "INT", 4),
    _MType("L4_NBC", "4", "INH", "dNAC", "INT", 3),
    _MType("L5_MC", "5", "INH", "cAC", "INT", 3),
    _MType("L5_LBC", "5", "INH", "dSTUT", "INT", 2),
    _MType("L6_BTC", "6", "INH", "cAC", "INT", 3),
)
_LAYERS = ("1", "2", "3", "4", "5", "6")
_LAYER_TOPS_UM = np.array([0.0, 165.0, 315.0, 670.0, 860.0, 1_385.0, 2_080.0])


class Labels(NamedTuple):
    """A text column: its distinct values, and the index of each neuron's value."""

    values: tuple[str, ...]
    codes: Codes


def neuron_columns(story: Story) -> Iterator[tuple[str, Labels | npt.NDArray[np.floating]]]:
    """Yield the columns of the nodes file, each (n_neurons,) in the order of the census."""
    rng, census = story.rng(2), story.census
    places = np.arange(story.n_hexes + 2, dtype=np.int32)
    place = np.repeat(
        np.append(places, places[:-2]), np.append(census.in_place, census.not_simulated)
    )
    kind = _kinds(census.in_group, int(census.not_simulated.sum()), rng)
    yield from _label_columns(story, place, kind, rng)
    yield from _number_columns(story, place, kind, rng)


def _kinds(in_group: npt.NDArray[np.int32], n_more: int, rng: np.random.Generator) -> Codes:
    """Return the index into `_MTYPES` of each neuron: classes by group, then mixed for the rest."""
    classes = np.tile(np.arange(len(CLASSES), dtype=np.uint8), len(in_group) // len(CLASSES))
    mixed = (rng.random(n_more) < INH_SHARE).astype(np.uint8)
    neuron_class = np.append(np.repeat(classes, in_group), mixed)
    kinds, draw = np.empty(len(neuron_class), dtype=np.uint8), rng.random(len(neuron_class))
    for code, name in enumerate(CLASSES):
        members = np.array([k for k, m in enumerate(_MTYPES) if m.synapse_class == name], np.uint8)
        limits = np.cumsum([_MTYPES[k].weight for k in members])
        chosen = neuron_class == code
        kinds[chosen] = members[np.searchsorted(limits / limits[-1], draw[chosen], side="right")]
    return kinds


def _label_columns(
    story: Story, place: npt.NDArray[np.int32], kind: Codes, rng: np.random.Generator
) -> Iterator[tuple[str, Labels]]:
    for column in ("synapse_class", "layer", "mtype", "etype", "morph_class"):
        of_kind = [str(getattr(m, column)) for m in _MTYPES]
        values = tuple(sorted(set(of_kind)))
        yield column, Labels(values, np.array([values.index(v) for v in of_kind], np.uint8)[kind])
    region = np.append(story.sheet.region, [0, 0])[place].astype(np.uint8)
    lost = place >= story.n_hexes
    region[lost] = rng.integers(0, len(REGIONS), int(lost.sum()))
    region[story.census.n_simulated :] = len(REGIONS)
    yield "region", Labels((*REGIONS, OUTSIDE_REGION), region)
    yield "model_type", Labels(("biophysical",), np.zeros(len(place), np.uint8))


def _number_columns(
    story: Story, place: npt.NDArray[np.int32], kind: Codes, rng: np.random.Generator
) -> Iterator[tuple[str, npt.NDArray[np.floating]]]:
    nan, minus_one = (place == story.n_hexes + k for k in (0, 1))
    home = np.where(place < story.n_hexes, place, place % story.n_hexes)
    x, y = _inside_hexagon(len(place), rng)
    x += story.sheet.x_um[home]
    y += story.sheet.y_um[home]
    layer = np.array([_LAYERS.index(m.layer) for m in _MTYPES])[kind]
    depth = _LAYER_TOPS_UM[layer] + rng.random(len(place)) * np.diff(_LAYER_TOPS_UM)[layer]
    yield "x", x.astype(np.float32)
    yield "y", (_CURVATURE_PER_UM * (x * x + y * y) - depth).astype(np.float32)
    yield "z", y.astype(np.float32)
    for name, column in (("ss_flat_x", x), ("ss_flat_y", y), ("depth", depth)):
        column[nan], column[minus_one] = np.nan, -1.0
        yield name, column


def _inside_hexagon(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return random points, uniform over a hexagon around (0, 0), which is made of three rhombi."""
    a, b = rng.random((2, n)) * _SHRINK * RADIUS_UM
    corners = unit_corners()
    rhombus = rng.integers(0, 3, n)
    first, second = corners[2 * rhombus], corners[(2 * rhombus + 2) % 6]
    return a * first[:, 0] + b * second[:, 0], a * first[:, 1] + b * second[:, 1]
