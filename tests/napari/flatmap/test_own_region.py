"""How many neurons lie in their own region is not known where ids of columns are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.flatmap.alignment import fit, read_neurons
from napari_hexrecruit._napari.flatmap.sources import check_one_sheet, neuron_map

NOT_KNOWN = "In own region: not known, the map names other regions than the neurons"


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    return recruitment_cube(neurons_in_a_row().write(tmp_path_factory.mktemp("row")))


def quiet(what, done, total):
    pass


@pytest.mark.parametrize(
    ("title", "column", "line"),
    [
        ("layer", "layer", "In own region: 100.0 % (40 of 40)"),
        ("columns", "layer", NOT_KNOWN),  # layer 3 is not column 3
        ("columns", "region", "In own region: 100.0 % (40 of 40)"),  # the neurons' ids of columns
        ("columns", "synapse_class", NOT_KNOWN),
        ("columns", "mtype", NOT_KNOWN),  # no such property
    ],
)
def test_layers_are_not_columns(cube, tmp_path, title, column, line):
    if column == "region":
        row = neurons_in_a_row()
        columns = {**row.columns, "region": [str(value) for value in row.columns["layer"]]}
        cube = recruitment_cube(neurons_in_a_row(columns=columns).write(tmp_path))
    named = neuron_map(cube, "layer", density=False, progress=quiet).regions
    regions = tuple(replace(one, title=title) for one in named)
    assert fit(read_neurons(cube, regions, column, quiet), None).lines()[-1] == line


def test_hemispheres_are_mapped_from_their_neurons_and_not_from_an_image(tmp_path):
    row = neurons_in_a_row()
    n = len(next(iter(row.columns.values())))
    columns = {**row.columns, "hemisphere": ["left", "right"] * (n // 2)}
    config = neurons_in_a_row(columns=columns).write(tmp_path)
    cube = recruitment_cube(config, hemisphere="hemisphere", mirror="right")
    with pytest.raises(ValueError, match="two hemispheres side by side"):
        check_one_sheet(cube)
    check_one_sheet(recruitment_cube(config))
    named = neuron_map(cube, "layer", density=False, progress=quiet).regions
    lines = fit(read_neurons(cube, named, "layer", quiet), None).lines()
    assert lines[-1] == f"In own region: 100.0 % ({n} of {n})"
