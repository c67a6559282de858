"""Cubes whose hexagons have the same names and lie on different sheets."""

from __future__ import annotations

import json

import pytest
from tests.support.commands import hexrecruit
from tests.support.cubes import wave_cube
from tests.support.doubtful import doubtful

from napari_hexrecruit import CubeRecipe, RecruitmentWarning, write_cube
from napari_hexrecruit.analysis import align, cluster_test, compare, z_score
from napari_hexrecruit.counting.hemispheres import HEMISPHERES


def cube_with(flat, **attrs):
    recipe = CubeRecipe(simulation="run.json", flat=flat).to_json()
    return wave_cube(n_bins=24).assign_attrs(recipe=recipe, **attrs)


DOORS = {
    "align": align,
    "compare": compare,
    "z_score": z_score,
    "cluster_test": lambda a, b: cluster_test([a] * 2, [b] * 2, n_permutations=4),
}
SS, XZ, XY = ("ss_flat_x", "ss_flat_y"), ("x", "z"), ("x", "y")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (XZ, XY, "flat space is x, z in one cube and x, y in the other: compute both with the"),
        (SS, XZ, "flat space is of an atlas in one cube and x, z in the other"),
        (XZ, "map.nrrd", "flat space is x, z in one cube and of an atlas in the other"),
    ],
)
def test_other_flat_positions_are_refused(door, a, b, sentence):
    with pytest.raises(ValueError, match=sentence):
        DOORS[door](cube_with(a), cube_with(b))


@pytest.mark.parametrize("door", DOORS)
def test_hemispheres_that_lie_differently_are_refused(door):
    layout = {"values": ["l", "r"], "mirrored": [True, False], "columns": [-9, 0], "last_left": 2}
    beside, plain = cube_with(SS, **{HEMISPHERES: json.dumps(layout)}), cube_with(SS)
    for a, b in ((plain, beside), (beside, plain)):
        with pytest.raises(ValueError, match="compute both with the same hemisphere and mirror"):
            DOORS[door](a, b)


@doubtful
def test_properties_with_other_names_can_have_the_same_values():
    with pytest.warns(RecruitmentWarning, match="in the other: .* unless these have the same val"):
        found = compare(cube_with(SS), cube_with(("u", "v")))
    assert (found["difference"] == 0).all()


def test_an_atlas_and_its_stored_columns_are_one_sheet():
    for flat in ("map.nrrd", "atlas", ("ss_flat_x", "ss_flat_y")):
        assert (compare(cube_with(SS), cube_with(flat))["difference"] == 0).all()


@pytest.mark.slow
def test_the_command_refuses_and_warns(tmp_path):
    for name, flat in (("a", XZ), ("b", XY), ("c", ("u", "v"))):
        write_cube(cube_with(flat), tmp_path / f"{name}.hexrecruit.nc")
    a, b, c, out = (tmp_path / f"{name}.hexrecruit.nc" for name in "abco")
    refused = hexrecruit("compare", a, b, "-o", out)
    assert refused.returncode == 2 and "with the same flat columns" in refused.stderr
    done = hexrecruit("compare", a, c, "-o", out)
    assert done.returncode == 0
    assert "warning: flat space is x, z in one cube and u, v in the other" in done.stderr
