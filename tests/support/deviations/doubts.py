"""Files whose numbers cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tests.support.deviations.classic import (
    N_NEURONS,
    N_SPIKES,
    deviation,
    edit_spikes,
    replace_dataset,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EMPTY = "{folder}/output/spikes.h5: population 'cortex': nothing is counted, since"
ALLOW = "or allow an empty cube (--allow-empty)"


def ids(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def turn(folder: Path) -> None:
        edit_spikes(
            folder, lambda group: replace_dataset(group, "node_ids", change(group["node_ids"][:]))
        )

    return turn


def times(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def turn(folder: Path) -> None:
        edit_spikes(
            folder,
            lambda group: replace_dataset(group, "timestamps", change(group["timestamps"][:])),
        )

    return turn


@deviation("ids that count from 1", same=False, says="as if they counted from 1")
def ids_from_1(folder: Path) -> None:
    ids(lambda found: found + 1)(folder)


@deviation("id 0 never occurs", same=False, says="neuron 0 alone never fires")
def ids_without_0(folder: Path) -> None:
    ids(lambda found: np.arange(N_SPIKES) % (N_NEURONS - 1) + 1)(folder)


@deviation(
    "every tenth id is from another population", same=False, says="40 of 400 spikes have ids"
)
def tenth_of_ids_unknown(folder: Path) -> None:
    ids(lambda found: np.where(np.arange(N_SPIKES) % 10 == 0, found + 1000, found))(folder)


@deviation(
    "all ids are from another population",
    refused=f"{EMPTY} the population lacks the ids of all 400 spikes in the window (they run from"
    " 1000 to 1059, those of the neurons from 0 to 59): correct the ids, or name the circuit or"
    f" the population that they are of, {ALLOW}",
)
def ids_with_an_offset(folder: Path) -> None:
    ids(lambda found: np.arange(N_SPIKES, dtype=np.uint64) % N_NEURONS + 1000)(folder)


@deviation("times in seconds", same=False, says="as if their times were seconds")
def times_in_seconds(folder: Path) -> None:
    times(lambda found: found / 1000)(folder)


@deviation(
    "times in microseconds",
    refused=f"{EMPTY} none of the 400 spikes is between 0 and 100 ms; they are at 200 to 100000"
    f" ms, as if they were microseconds: correct run.tstop, or the times, {ALLOW}",
)
def times_in_microseconds(folder: Path) -> None:
    times(lambda found: np.linspace(200.0, 100_000.0, N_SPIKES))(folder)


@deviation("most spikes after the end", same=False, says="are not between 0 and 100 ms, when the")
def most_after_the_end(folder: Path) -> None:
    times(lambda found: np.linspace(0.0, 1000.0, N_SPIKES))(folder)


@deviation(
    "all spikes after the end",
    refused=f"{EMPTY} none of the 400 spikes is between 0 and 100 ms; they are at 300 to 400 ms:"
    f" correct run.tstop, or the times, {ALLOW}",
)
def all_after_the_end(folder: Path) -> None:
    times(lambda found: np.linspace(300.0, 400.0, N_SPIKES))(folder)
