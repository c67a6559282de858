"""Files whose order is not what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tests.support.deviations.classic import deviation, edit_spikes, replace_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MISMARKED = "is marked by_time, but its times are not sorted; sorted"


def _reorder(folder: Path, order_of: Callable[[Any], Any], sorting: str = "by_time") -> None:
    def change(group: Any) -> None:
        order = order_of(group["timestamps"][:])
        for name in ("timestamps", "node_ids"):
            group[name][:] = group[name][:][order]
        group.attrs["sorting"] = sorting

    edit_spikes(folder, change)


@deviation("marked by_time, but two spikes are swapped", says=_MISMARKED)
def two_spikes_exchanged(folder: Path) -> None:
    def order_of(times: Any) -> Any:
        order = np.arange(len(times))
        order[[100, 300]] = order[[300, 100]]
        return order

    _reorder(folder, order_of)


@deviation("marked by_time, but made of two sorted parts that overlap", says=_MISMARKED)
def two_pieces(folder: Path) -> None:
    def order_of(times: Any) -> Any:
        late = (times > 55.0) | ((times > 45.0) & (np.arange(len(times)) % 2 == 0))
        return np.concatenate([np.flatnonzero(~late), np.flatnonzero(late)])

    _reorder(folder, order_of)


@deviation("marked by_time, but the last spike is the earliest", says=_MISMARKED)
def first_spike_last(folder: Path) -> None:
    _reorder(folder, lambda times: np.roll(np.arange(len(times)), -1))


@deviation("marked by_id, but sorted by time")
def marked_by_id_but_by_time(folder: Path) -> None:
    _reorder(folder, lambda times: np.arange(len(times)), "by_id")


@deviation("big-endian float32 times")
def big_endian_float32(folder: Path) -> None:
    def change(group: Any) -> None:
        replace_dataset(group, "timestamps", group["timestamps"][:].astype(">f4"))

    edit_spikes(folder, change)
