"""Files of two layouts at once, and attributes at other places than the standard's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.deviations.classic import (
    POPULATION,
    add_population,
    deviation,
    edit_spikes,
    into_old_layout,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS = (
    "{folder}/output/spikes.h5: population 'cortex': 'timestamps' has units 's': only ms can be"
    " read: convert them"
)


def _unit(name: str, of: Callable[[Any], Any], unit: str) -> Callable[[Path], None]:
    def change(group: Any) -> None:
        del group["timestamps"].attrs["units"]
        of(group).attrs[name] = unit

    return lambda folder: edit_spikes(folder, change)


@deviation("`units` s are those of the population's group", refused=_SECONDS)
def units_of_the_group(folder: Path) -> None:
    _unit("units", lambda group: group, "s")(folder)


@deviation("the attribute is called `unit`, and is s", refused=_SECONDS)
def attribute_unit(folder: Path) -> None:
    _unit("unit", lambda group: group["timestamps"], "s")(folder)


@deviation("the attribute is called `Units`, and is ms")
def attribute_with_a_capital(folder: Path) -> None:
    _unit("Units", lambda group: group["timestamps"], "ms")(folder)


@deviation(
    "spikes of the old layout besides those of a population",
    says="/spikes: has spikes beside its populations; they are left out",
)
def both_layouts(folder: Path) -> None:
    def change(group: Any) -> None:
        group.parent["timestamps"], group.parent["gids"] = [1.0, 2.0, 3.0], [7, 8, 9]

    edit_spikes(folder, change)


@deviation(
    "old layout; two populations are counted together",
    options={"population": [POPULATION, "thalamus"]},
    refused="{folder}/output/spikes.h5: has the old layout, without populations; there are:"
    " cortex, thalamus: name the one whose spikes it holds with --population P",
)
def old_layout_of_two(folder: Path) -> None:
    into_old_layout(folder)
    add_population(folder, "thalamus")
