"""The report of one population, or of several side by side, in an open file."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import POPULATION, ParameterError, SimulationDataError
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.pipeline.populations import Populations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_hexrecruit.sonata import Report, ReportConfig, Simulation

_ALIKE = {"start_ms": "start", "dt_ms": "step", "n_frames": "number of frames", "units": "units"}


@dataclass(frozen=True)
class Recording:
    """The values of a report for some populations.

    Attributes
    ----------
    populations
        Populations of the neurons.
    reports
        Report of each population; all have the same frames and units.
    """

    populations: Populations
    reports: tuple[Report, ...]

    @property
    def first(self) -> Report:
        """First report, with the frames and units of all."""
        return self.reports[0]

    @property
    def neurons(self) -> npt.NDArray[np.int64]:
        """(n_recorded,) rows of the recorded neurons in `populations`."""
        rows = zip(self.reports, self.populations.parts(), strict=True)
        return np.concatenate([one.somata.neurons + part.start for one, (_, part) in rows])

    @property
    def columns(self) -> npt.NDArray[np.int64]:
        """(n_recorded,) element of each recorded neuron in a frame of `blocks`."""
        widths = np.cumsum([0, *(one.data.shape[1] for one in self.reports)]).tolist()
        return np.concatenate(
            [one.somata.columns + at for one, at in zip(self.reports, widths, strict=False)]
        )

    @property
    def recorded(self) -> Mask:
        """Which neurons of the populations are recorded."""
        recorded = np.zeros(self.populations.n_neurons, dtype=bool)
        recorded[self.neurons] = True
        return Mask.of(recorded)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Assumptions about what the file does not state."""
        return tuple(dict.fromkeys(text for one in self.reports for text in one.assumed))

    def blocks(self, first: int, last: int) -> Iterator[npt.NDArray[Any]]:
        """Yield (n_frames, n_elements) blocks of the frames `first` to `last`."""
        if len(self.reports) == 1:
            return self.first.blocks(first, last)
        return _side_by_side([one.blocks(first, last) for one in self.reports])


@contextmanager
def opened_recording(
    sim: Simulation, config: ReportConfig, population: str | tuple[str, ...] | None
) -> Iterator[Recording]:
    """Open the report of the populations that a recipe names; by default its only population.

    Raises
    ------
    SimulationDataError
        If the file is not a report of them, or their frames or units differ.
    """
    given = population if isinstance(population, tuple) else (population,)
    with ExitStack() as files:
        found = [files.enter_context(sim.report(config, name)) for name in given]
        names, reports = tuple(name for name, _ in found), tuple(one for _, one in found)
        _check_alike(names, reports, config)
        yield Recording(Populations(sim, names), reports)


def _check_alike(names: Sequence[str], reports: Sequence[Report], config: ReportConfig) -> None:
    first = reports[0]
    for name, one in zip(names[1:], reports[1:], strict=True):
        if one.where == first.where:
            raise ParameterError(
                one.where, "does not name its population", ("name a single one with ", POPULATION)
            )
        for field, said in _ALIKE.items():
            values = getattr(first, field), getattr(one, field)
            if values[0] != values[1]:
                raise SimulationDataError(
                    config.path,
                    f"has another {said} of population {name!r} ({values[1]}) than of {names[0]!r}"
                    f" ({values[0]})",
                    ("name a single one with ", POPULATION),
                )


def _side_by_side(each: Sequence[Iterator[npt.NDArray[Any]]]) -> Iterator[npt.NDArray[Any]]:
    """Join blocks of the same frames side by side, for the frames that all have read."""
    left: list[npt.NDArray[Any]] = [next(blocks, np.empty((0, 0))) for blocks in each]
    while all(len(block) for block in left):
        n = min(map(len, left))
        yield np.concatenate([block[:n] for block in left], axis=1)
        left = [
            block[n:] if len(block) > n else next(blocks, block[:0])
            for block, blocks in zip(left, each, strict=True)
        ]
