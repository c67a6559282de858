"""Entries that stand twice in a JSON file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.deviations.classic import deviation

if TYPE_CHECKING:
    from pathlib import Path

_SAID = "appears twice, with different values; the last one counts"


def _put_first(file: Path, entry: str) -> None:
    file.write_text(file.read_text().replace("{", "{" + entry + ", ", 1))


@deviation(
    "`run` appears twice in the configuration, with different ends",
    says=f"simulation_config.json: 'run' {_SAID}",
)
def run_twice(folder: Path) -> None:
    _put_first(folder / "simulation_config.json", '"run": {"tstop": 20.0, "dt": 0.1}')


@deviation(
    "the circuit names its node sets file twice",
    says=f"circuit_config.json: 'node_sets_file' {_SAID}",
)
def node_sets_file_twice(folder: Path) -> None:
    _put_first(folder / "circuit_config.json", '"node_sets_file": "gone.json"')


@deviation("a node set is defined twice, differently", says=f"node_sets.json: 'everyone' {_SAID}")
def node_set_twice(folder: Path) -> None:
    _put_first(folder / "node_sets.json", '"everyone": {"node_id": [1, 2]}')


@deviation("a node set is defined twice in the same way")
def node_set_twice_alike(folder: Path) -> None:
    _put_first(folder / "node_sets.json", '"everyone": {"population": "cortex"}')
