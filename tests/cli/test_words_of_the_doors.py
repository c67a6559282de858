"""One fault, three doors: each names parameters as its user gives them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.deviations import write

import napari_hexrecruit
from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.cli import main
from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.errors import (
    HexRecruitError,
    Parameter,
    ParameterError,
    in_python,
    in_words,
)

SOURCE = Path(napari_hexrecruit.__file__).parent
FAULTS = [
    ("no_flat_position", {}, "flat=('x', 'z')", "--flat x z", "Flat x, Flat y: x, z"),
    ("no_flat_position", {}, "or give flat=;", "--flatmap FILE;", "--flatmap FILE on the command"),
    ("spikes_file_absent", {}, "give spikes=", "--spikes FILE", "give Spikes in Other files"),
    ("several_populations", {}, "population='cortex'", "--population cortex", "Population: cortex"),
    ("no_spikes_at_all", {}, "(allow_empty=)", "(--allow-empty)", "(--allow-empty on the command"),
    ("n_runs", {}, "run=1 to run=2", "--run 1 to --run 2", "--run 1 on the command line"),
    ("mistyped_node_set", {}, "node_set='all'", "--node-set all", "Node set: all"),
    (None, {"min_neurons": 0}, "min_neurons must", "--min-neurons must", "Min. neurons must"),
    (None, {"radius": -1.0}, "radius must", "--radius must", "Radius must"),
    (None, {"bin_ms": float("nan")}, "bin_ms must", "--bin must", "Bin must"),
    (None, {"where": "layer=9"}, "where='layer':", "--where layer:", "Filter by: layer:"),
]


@pytest.mark.parametrize(("name", "options", "python", "option", "label"), FAULTS)
def test_a_fault_is_worded_for_each_door(tmp_path, name, options, python, option, label):
    opened, deviation = write(tmp_path, name) if name else (write(tmp_path)[0], None)
    given = {**(deviation.options if deviation else {}), **options}
    with pytest.raises(HexRecruitError) as caught:
        recruitment_cube(open_simulation(**opened), **given)
    doors = ((str, python), (lambda e: in_words(e, as_option), option))
    for worded, expected in (*doors, (lambda e: in_words(e, in_panel), label)):
        assert expected in worded(caught.value)


def test_the_command_prints_its_own_words(tmp_path, capsys):
    opened, _ = write(tmp_path, "no_flat_position")
    output = str(tmp_path / "a.hexrecruit.nc")
    with pytest.raises(SystemExit) as ended:
        main(["cube", str(opened["path"]), "-o", output])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "as in --flat x z, or give --flatmap FILE;" in said
    assert "flat=" not in said


def test_values_are_quoted_for_the_door():
    parameter = Parameter("population", ("a b",))
    assert in_python(parameter) == "population='a b'"
    assert as_option(parameter) == "--population 'a b'"
    assert in_panel(parameter) == "Population: a b"


def test_a_parameter_without_values_is_the_subject():
    error = ParameterError(Parameter("bin_ms"), "must be greater than 0 ms, not -1", "widen it")
    assert str(error) == "bin_ms must be greater than 0 ms, not -1: widen it"
    assert in_words(error, as_option) == "--bin must be greater than 0 ms, not -1: widen it"


def test_only_the_command_line_names_options():
    """Elsewhere a message holds the parameter, which each door words for itself."""
    literal = re.compile(r'"[^"\n]*(?<![-\w])--[a-z][^"\n]*"')
    found = {
        path.name: [t for t in literal.findall(path.read_text("utf-8")) if "hexrecruit " not in t]
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "cli" and path.name not in ("command_line.py", "errors.py")
    }
    assert {name: texts for name, texts in found.items() if texts} == {}
