"""What `validate_cube` accepts and names."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from tests.support.sonata_files import simple_files

from napari_hexrecruit import recruitment_cube, validate_cube
from napari_hexrecruit.schema import ATTRIBUTES


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return recruitment_cube(simple_files().write(tmp_path_factory.mktemp("simulation")))


@pytest.fixture
def cube(whole):
    return whole.copy(deep=True)


def faults(cube):
    with pytest.raises(ValueError, match=r"^not a recruitment cube: ") as error:
        validate_cube(cube)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_cube_is_accepted_and_not_changed(cube):
    before = cube.copy(deep=True)
    validate_cube(cube)
    assert cube.identical(before)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_missing_attribute_is_named(cube, name):
    del cube.attrs[name]
    assert f"attribute '{name}' is missing" in faults(cube)


@pytest.mark.parametrize("name", ["recruitment", "n_spikes", "time_bounds", "x", "n_neurons"])
def test_a_missing_variable_is_named(cube, name):
    assert f"variable '{name}' is missing" in faults(cube.drop_vars(name))


def test_all_faults_are_named_at_once(cube):
    del cube.attrs["recipe"]
    cube["n_spikes"] = cube["n_spikes"].astype("float64")
    cube["time"].attrs["units"] = "s"
    said = faults(cube.drop_vars("x"))
    for fault in ("'recipe' is missing", "'n_spikes' has type float64", "has units 's'", "'x' is"):
        assert fault in said


def test_another_version_says_what_to_do(cube):
    cube.attrs["schema_version"] = 3
    assert (
        "schema_version is 3 and this napari-hexrecruit reads 1 and 2: compute the cube"
        in faults(cube)
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("hex_radius", 0.0, "'hex_radius' is 0.0, not greater than 0"),
        ("bin_ms", np.nan, "'bin_ms' is nan, not greater than 0"),
        ("population", 3, "'population' is 3, not str"),
        ("n_spikes_read", "many", "'n_spikes_read' is 'many', not int"),
    ],
)
def test_attributes_of_the_wrong_kind_are_named(cube, name, value, said):
    cube.attrs[name] = value
    assert said in faults(cube)


def test_a_transposed_cube_is_refused(cube):
    assert "has dimensions ('hex', 'time')" in faults(cube.transpose("hex", "time", "bound"))


def test_a_gap_in_time_is_refused(cube):
    assert "'time' is not a row of bins 10 ms apart" in faults(cube.isel(time=[0, 1, 3]))


def test_an_empty_axis_is_refused(cube):
    assert "the time axis has no bins" in faults(cube.isel(time=[]))
    assert "there is no hexagon" in faults(cube.isel(hex=[]))


def test_bounds_that_do_not_fit_are_refused(cube):
    cube["time_bounds"] = cube["time_bounds"] + 1.0
    cube["time_bounds"].attrs["units"] = "ms"
    assert "'time_bounds' does not hold" in faults(cube.set_coords("time_bounds"))
    assert "is not (time, 2)" in faults(cube.isel(bound=[0]))


def test_a_hexagon_twice_and_a_centre_nowhere_are_refused(cube):
    twice = cube.isel(hex=[0, 0, 1])
    twice["x"] = twice["x"].where(twice["hex"] == twice["hex"][0])
    twice["n_neurons"] = twice["n_neurons"] - 10_000
    said = faults(twice.set_coords(["x", "n_neurons"]))
    for fault in ("listed twice", "'x' or 'y' is not finite", "'n_neurons' is negative"):
        assert fault in said


def test_any_dataset_is_no_cube():
    assert "attribute 'schema_version' is missing" in faults(xr.Dataset())
