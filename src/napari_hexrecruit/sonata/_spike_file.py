"""Whose spikes a spikes file holds, seen from a circuit."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_hexrecruit.errors import POPULATION, SPIKES_FILE, SimulationDataError
from napari_hexrecruit.sonata._spikes import OLD_LAYOUT, SpikeTrain, opened_trains
from napari_hexrecruit.storage.kinds import example, instead_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_hexrecruit.errors import Text


@dataclass(frozen=True)
class SpikeFile:
    """A spikes file, and what else is known of it.

    Attributes
    ----------
    path
        The file.
    circuit_populations
        The populations of the circuit.
    remedy
        What to do where the file is missing.
    dt_ms
        Step of the simulation, ms; None where it is not known.
    """

    path: Path
    circuit_populations: tuple[str, ...]
    remedy: Text
    dt_ms: float | None = None
    suggests: bool = False
    """Whether a file is named at the end of the remedy."""

    def counts(self) -> dict[str, int]:
        """Number of spikes of each population; `OLD_LAYOUT` where the file names none.

        A population that cannot be read is left out: that is told when it is asked for.
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
        """Time of the last spike of all populations, ms; 0 where there is none.

        The tolerance of bins is added: a spike just below an edge is in the bin that starts there.
        """
        ends = []
        with self._trains() as trains:
            for open_train in trains.values():
                try:
                    train = open_train()
                    span = train.span_ms()
                except SimulationDataError:  # told when that population is asked for
                    continue
                if span is not None:
                    ends.append(span[1] + float(train.clock.tolerance_ms(span[1])))
        return max(ends, default=0.0)

    @contextmanager
    def train(self, population: str) -> Iterator[SpikeTrain | None]:
        """Spikes of a population in the open file; None where it never fired.

        Raises
        ------
        SimulationDataError
            If it is not in the file, and somebody whom the circuit lacks is.
        """
        with self._trains() as trains:
            if OLD_LAYOUT in trains:
                train = replace(trains[OLD_LAYOUT](), dt_ms=self.dt_ms)
                said = (
                    f"{train.where}: is of the old layout, without populations;"
                    f" its spikes are taken to be of {population!r}"
                )
                yield replace(train, assumed=(said, *train.assumed))
            elif population in trains:
                yield replace(trains[population](), dt_ms=self.dt_ms)
            else:
                self._refuse_strangers(population, sorted(trains))
                yield None

    def silence(self, population: str) -> str:
        """What is assumed of a population that the file lacks."""
        return (
            f"{self.path}: has no spikes of population {population!r};"
            " it is assumed that it never fired"
        )

    def refuse_nameless(self) -> None:
        """Refuse a file that does not say which of several populations it is of."""
        if len(self.circuit_populations) < 2 or not self.path.is_file():
            return
        with self._trains() as trains:
            nameless = OLD_LAYOUT in trains
        if nameless:
            raise SimulationDataError(
                self.path,
                "is of the old layout, without populations; there are:"
                f" {', '.join(self.circuit_populations)}",
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
        """What else can be said of a file that is not there, or is of another kind."""
        other = instead_of(self.path, "spikes")
        if other is not None or self.path.is_file() or not self.suggests:
            return other or error
        known = example("spikes", self.path.parent, "*.h5")
        return SimulationDataError(error.where, error.what, (self.remedy, known))

    def _refuse_strangers(self, population: str, found: list[str]) -> None:
        """A population is not silent in a file whose spikes are of nobody that we know."""
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
