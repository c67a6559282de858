"""A spikes file, and the circuit's populations that it has spikes of."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_hexrecruit.errors import POPULATION, SPIKES_FILE, SimulationDataError
from napari_hexrecruit.sonata._spikes import OLD_LAYOUT, SpikeTrain, opened_trains
from napari_hexrecruit.storage.kinds import example, instead_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from napari_hexrecruit.errors import Text


@dataclass(frozen=True)
class SpikeFile:
    """A spikes file and its context.

    Attributes
    ----------
    path
        The file.
    circuit_populations
        Populations of the circuit.
    remedy
        What to do if the file is missing.
    dt_ms
        Step of the simulation, ms; None if unknown.
    """

    path: Path
    circuit_populations: tuple[str, ...]
    remedy: Text
    dt_ms: float | None = None
    suggests: bool = False
    """True to append the name of an existing spikes file to the remedy."""

    def counts(self) -> dict[str, int]:
        """Return the number of spikes of each population; `OLD_LAYOUT` if the file names none.

        Unreadable populations are left out; using one raises the error.
        """
        found = {}
        with self._trains() as trains:
            for name, train in trains.items():
                try:
                    found[name] = len(train())
                except SimulationDataError:
                    continue
        return found

    def last_ms(self) -> float:
        """Return the time of the last spike of all populations, ms; 0 without spikes.

        The tolerance of bins is added: a spike just below an edge is in the bin that starts there.
        """
        ends = []
        with self._trains() as trains:
            for open_train in trains.values():
                try:
                    train = open_train()
                    span = train.span_ms()
                except SimulationDataError:  # raised when that population is used
                    continue
                if span is not None:
                    ends.append(span[1] + float(train.clock.tolerance_ms(span[1])))
        return max(ends, default=0.0)

    @contextmanager
    def train(self, population: str) -> Iterator[SpikeTrain | None]:
        """Open the spikes of a population; None if it never fired.

        Raises
        ------
        SimulationDataError
            If the file lacks it, and has a population that the circuit lacks.
        """
        with self._trains() as trains:
            if OLD_LAYOUT in trains:
                train = replace(trains[OLD_LAYOUT](), dt_ms=self.dt_ms)
                said = (
                    f"{train.where}: has the old layout, without populations;"
                    f" its spikes are assumed to be of {population!r}"
                )
                yield replace(train, assumed=(said, *train.assumed))
            elif population in trains:
                yield replace(trains[population](), dt_ms=self.dt_ms)
            else:
                self._refuse_strangers(population, sorted(trains))
                yield None

    def silence(self, population: str) -> str:
        """Return the note on a population that the file lacks."""
        return (
            f"{self.path}: has no spikes of population {population!r};"
            " it is assumed that it never fired"
        )

    def refuse_nameless(self, populations: Sequence[str]) -> None:
        """Refuse a file that does not name which of several populations it has spikes of."""
        if len(populations) < 2 or not self.path.is_file():
            return
        with self._trains() as trains:
            nameless = OLD_LAYOUT in trains
        if nameless:
            raise SimulationDataError(
                self.path,
                f"has the old layout, without populations; there are: {', '.join(populations)}",
                ("name the one whose spikes it holds with ", POPULATION),
            )

    @contextmanager
    def _trains(self) -> Iterator[dict[str, Callable[[], SpikeTrain]]]:
        with ExitStack() as stack:
            try:
                trains = stack.enter_context(opened_trains(self.path, self.remedy))
            except SimulationDataError as error:
                raise self._instead(error) from error
            yield trains

    def _instead(self, error: SimulationDataError) -> SimulationDataError:
        """Return a better error for a file that is missing or of another kind."""
        other = instead_of(self.path, "spikes")
        if other is not None or self.path.is_file() or not self.suggests:
            return other or error
        known = example("spikes", self.path.parent, "*.h5")
        return SimulationDataError(error.where, error.what, (self.remedy, known))

    def _refuse_strangers(self, population: str, found: list[str]) -> None:
        """Refuse to take a population for silent if the file has unknown populations."""
        strangers = [name for name in found if name not in self.circuit_populations]
        if strangers:
            raise SimulationDataError(
                self.path,
                f"there are no spikes of population {population!r}; there are: {', '.join(found)},"
                f" of which the circuit lacks {', '.join(strangers)}",
                (
                    "name another population with ",
                    POPULATION,
                    ", or another file with ",
                    SPIKES_FILE,
                ),
            )
