"""What makes a number doubtful: counts of nothing, and implausible spikes.

`doubts` is a pure function of `Facts`, which ``pipeline/evidence.py`` collects. ``docs/method.md``
explains the thresholds.
"""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from napari_hexrecruit.errors import Parameter, ParameterError, RecruitmentWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PACKAGE = __name__.partition(".")[0]
NOTHING = "nothing is counted, since"
"""Start of the sentence if no spike was counted."""
MOST = 0.5
"""Share of the spikes above which most are left out."""
NOTABLE = 0.01
"""Share of unknown ids above which they are more than a few strays."""
MS_PER_S = 1000.0
A_LITTLE_MORE = 1.01
"""Factor on the duration of a simulation: its last spike can be slightly after its end."""
PER_MS = 1.0
"""Mean spikes per neuron and ms that no neuron reaches, because of its refractory time."""
SPIKES_TO_JUDGE_A_RATE = 10
"""Mean number of spikes per neuron that is needed to judge a rate."""


class Tally(NamedTuple):
    """Result of counting.

    `n_read` spikes are in the file, `n_inside` of them in the window, and `n_unknown_id` of these
    have an id that the population lacks. `latest_ms` is the start of the last bin in which a spike
    was counted; None if no spike was counted.
    """

    n_read: int
    n_inside: int
    n_unknown_id: int
    latest_ms: float | None


class Times(NamedTuple):
    """Times of all spikes of the file.

    First and last time in ms (None without spikes), and the number of spikes outside the
    simulation.
    """

    first_ms: float | None
    last_ms: float | None
    n_outside: int


class Ids(NamedTuple):
    """Smallest and largest id of all spikes of the file, and of the neurons of the population."""

    first: int
    last: int
    first_known: int
    last_known: int


class Facts(Protocol):
    """Facts about the spikes of a population.

    `times` and the properties below it can require reading the whole file: use them only if needed.
    """

    @property
    def where(self) -> str:
        """File and population."""

    @property
    def n_neurons(self) -> int:
        """Neurons of the population."""

    @property
    def window_ms(self) -> tuple[float, float]:
        """Start and stop of the window that was counted, ms."""

    @property
    def run_ms(self) -> tuple[float, float]:
        """Start and end of the simulation, ms."""

    @property
    def tally(self) -> Tally:
        """Result of counting."""

    @property
    def times(self) -> Times:
        """Times of all spikes."""

    @property
    def ids(self) -> Ids:
        """Ids of all spikes and of the population."""

    @property
    def only_neuron_0_is_silent(self) -> bool:
        """Whether neuron 0 never fires although nearly all others do."""

    @property
    def why_not_counted(self) -> str:
        """Why no spike in the window is from a selected neuron."""


@dataclass(frozen=True)
class Doubt:
    """An implausible finding.

    Attributes
    ----------
    where
        File and population.
    found
        What was found.
    remedy
        What to do.
    kind
        ``silent``, ``window``, ``ids`` or ``neurons`` for the cause why nothing was counted;
        ``suspicious`` otherwise.
    """

    where: str
    found: str
    remedy: str
    kind: str = "suspicious"

    def __str__(self) -> str:
        return f"{self.where}: {self.found}: {self.remedy}"

    def error(self) -> ParameterError:
        """Return the doubt as an error."""
        remedy = (self.remedy, ", or allow an empty cube (", Parameter("allow_empty"), ")")
        return ParameterError(self.where, self.found, remedy)


def doubts(facts: Facts) -> tuple[list[Doubt], list[Doubt]]:
    """Return what is wrong with a count: at most one error, and warnings.

    Parameters
    ----------
    facts
        Facts about the spikes.

    Returns
    -------
    errors, warnings : list of Doubt
        One error if no spike was counted; otherwise warnings about implausible spikes.
    """
    if facts.tally.latest_ms is None:
        return [_nothing(facts)], []
    found = [_ids(facts), _outside(facts), _too_early(facts)]
    return [], [doubt for doubt in found if doubt is not None]


def doubted(facts: Facts, *, allow_empty: bool) -> tuple[str, ...]:
    """Return the doubts about a count as sentences, for the cube's attributes.

    Raises
    ------
    ParameterError
        If no spike was counted and an empty cube is not allowed.
    """
    errors, suspicious = doubts(facts)
    if errors and not allow_empty:
        raise errors[0].error()
    return tuple(map(str, errors + suspicious))


def is_empty(sentence: str) -> bool:
    """Whether a warning reports that no spike was counted."""
    return NOTHING in sentence


def warnings_in(attrs: Mapping[str, Any]) -> list[str]:
    """Return the sentences of a cube's attribute ``warnings``; empty if it is not a list."""
    try:
        found = json.loads(attrs.get("warnings", "[]"))
    except (TypeError, ValueError):
        return []
    return [str(sentence) for sentence in found] if isinstance(found, list) else []


def issue_warnings(sentences: Iterable[str]) -> None:
    """Issue warnings that point to the caller outside of the package."""
    level = 2
    while sys._getframe(level - 1).f_globals.get("__name__", "").startswith(_PACKAGE):
        level += 1
    for sentence in sentences:
        warnings.warn(sentence, RecruitmentWarning, stacklevel=level)


@contextmanager
def warnings_kept() -> Iterator[list[str]]:
    """Collect recruitment warnings, for a widget that shows them with its result."""
    kept: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecruitmentWarning)
        yield kept
    kept += [str(one.message) for one in caught if issubclass(one.category, RecruitmentWarning)]
    for other in caught:
        if not issubclass(other.category, RecruitmentWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)


def _nothing(facts: Facts) -> Doubt:
    """Return why nothing was counted."""
    tally = facts.tally
    if tally.n_read == 0:
        remedy = "name another population or another spikes file"
        return Doubt(facts.where, f"{NOTHING} there are no spikes", remedy, "silent")
    if tally.n_inside == 0:
        start, stop = facts.window_ms
        none = f"{NOTHING} none of the {tally.n_read:,} spikes is between {start:g} and {stop:g} ms"
        return Doubt(facts.where, f"{none}; {_when(facts)}", _other_times(facts), "window")
    if tally.n_unknown_id == tally.n_inside:
        return Doubt(
            facts.where,
            f"{NOTHING} the population lacks the ids of all {tally.n_inside:,} spikes in the window"
            f" (they {_ranges(facts.ids)})",
            "correct the ids, or name the circuit or the population that they are of",
            "ids",
        )
    return Doubt(
        facts.where,
        f"{NOTHING} {facts.why_not_counted}",
        "choose other neurons",
        "neurons",
    )


def _ids(facts: Facts) -> Doubt | None:
    """Return a doubt about ids that count from 1 or belong to another population."""
    n_unknown, n_inside = facts.tally.n_unknown_id, facts.tally.n_inside
    from_1 = "subtract 1 from the ids if they count from 1, where SONATA counts from 0"
    if not n_unknown:
        found = "neuron 0 alone never fires, as if the ids counted from 1"
        return Doubt(facts.where, found, from_1) if facts.only_neuron_0_is_silent else None
    ids = facts.ids
    if ids.first >= 1 and ids.first_known == 0 and ids.last == ids.last_known + 1:
        return Doubt(
            facts.where, f"the ids of its spikes {_ranges(ids)}, as if they counted from 1", from_1
        )
    if n_unknown <= NOTABLE * n_inside:
        return None
    most = ", most of them," if n_unknown > MOST * n_inside else ""
    return Doubt(
        facts.where,
        f"{n_unknown:,} of {n_inside:,} spikes{most} have ids that the population lacks"
        f" (they {_ranges(ids)})",
        "make sure that this is the circuit of the simulation",
    )


def _outside(facts: Facts) -> Doubt | None:
    """Return a doubt if most spikes are outside the simulation."""
    tally = facts.tally
    if tally.n_read - tally.n_inside <= MOST * tally.n_read:
        return None
    n_outside = facts.times.n_outside
    if n_outside <= MOST * tally.n_read:
        return None
    start, stop = facts.run_ms
    return Doubt(
        facts.where,
        f"{n_outside:,} of {tally.n_read:,} spikes are not between {start:g} and {stop:g} ms, when"
        f" the simulation runs: {_when(facts)}",
        _other_times(facts),
    )


def _too_early(facts: Facts) -> Doubt | None:
    """Return a doubt if all times are in the first thousandth of the simulation, or too dense."""
    tally, (start, stop) = facts.tally, facts.run_ms
    in_ms = "multiply the times by 1,000 if they are seconds, where SONATA has ms"
    latest = A_LITTLE_MORE * stop / MS_PER_S
    if tally.latest_ms is not None and tally.latest_ms <= latest:
        last = facts.times.last_ms
        if last is not None and 0.0 < last <= latest:
            found = f"all {tally.n_read:,} spikes are in the first {last:.4g} of {stop:.10g} ms"
            return Doubt(facts.where, f"{found}, as if their times were seconds", in_ms)
    per_neuron = tally.n_read / max(facts.n_neurons, 1)
    rate = per_neuron / (stop - start)
    if per_neuron >= SPIKES_TO_JUDGE_A_RATE and rate > PER_MS:
        found = f"its neurons fire {rate:.3g} times per ms on average"
        return Doubt(facts.where, f"{found}, as if the times were seconds", in_ms)
    return None


def _when(facts: Facts) -> str:
    """Return the time range of the file's spikes, as text."""
    first, last, _ = facts.times
    if first is None or last is None:
        return "their times are not numbers"
    return f"they are at {first:.10g} to {last:.10g} ms{_as_if(facts, last)}"


def _as_if(facts: Facts, last: float) -> str:
    """Return the unit that the times seem to have, as text; empty for ms."""
    duration = facts.run_ms[1]
    for unit, per_ms in (("seconds", 1.0 / MS_PER_S), ("microseconds", MS_PER_S)):
        if 0.5 * duration * per_ms < last <= A_LITTLE_MORE * duration * per_ms:
            return f", as if they were {unit}"
    return ""


def _other_times(facts: Facts) -> str:
    return (
        "correct run.tstop, or the times"
        if facts.window_ms == facts.run_ms
        else "choose another window, or correct the times"
    )


def _ranges(ids: Ids) -> str:
    return (
        f"run from {ids.first} to {ids.last},"
        f" those of the neurons from {ids.first_known} to {ids.last_known}"
    )
