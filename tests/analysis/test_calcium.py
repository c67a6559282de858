"""Spikes through a slow kernel: against the integral of the kernel, and the total conserved."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit import read_cube, trial_mean, validate_cube, write_cube
from napari_hexrecruit.analysis import calcium, cut_trials
from napari_hexrecruit.cli import main
from napari_hexrecruit.metrics import metrics_for
from napari_hexrecruit.schema import notes_of


@pytest.mark.parametrize(("rise", "decay"), [(20.0, 100.0), (0.0, 60.0), (5.0, 20.0)])
def test_it_is_the_kernel_over_bins(rise, decay):
    """One spike, spread over its bin, in steps of a hundredth of it."""
    counts = np.zeros((120, 1), int)
    counts[3] = 1
    cube = cube_of(counts, row=[0], col=[0], n_neurons=4)
    found = calcium(cube, rise_ms=rise, decay_ms=decay)["calcium"].values[:, 0]
    fine = (np.arange(120 * 1000) + 0.5) * 0.01
    kernel = np.exp(-fine / decay) - (np.exp(-fine / rise) if rise else 0.0)
    after = np.cumsum(kernel) * 0.01 / (decay - rise)
    arrived = np.convolve(after, np.full(1000, 1e-3))[999 : len(after) : 1000]
    expected = np.zeros(120)
    expected[3:] = np.diff(np.append(0.0, arrived))[:117]
    np.testing.assert_allclose(found * 4 * 0.01, expected, atol=2e-4)


def test_the_total_is_conserved(tmp_path):
    cube = wave_cube(n_rows=3, n_cols=4, n_bins=400, min_neurons=1)
    cube = cube.assign(
        {
            name: cube[name].where(cube["time"] < 500, 0).astype(cube[name].dtype)
            for name in ("recruitment", "n_recruited", "n_spikes")
        }
    )
    for name in cube.data_vars:
        cube[name].attrs["units"] = "%" if name == "recruitment" else "1"
    made = calcium(cube, rise_ms=10.0, decay_ms=80.0)
    total = (made["calcium"] * cube["n_neurons"] * 0.01).sum("time")
    np.testing.assert_allclose(total, cube["n_spikes"].sum("time"), rtol=1e-4)
    assert "% of the total follows after the last bin" in notes_of(made)[-1]
    validate_cube(made)
    assert [m.name for m in metrics_for(made)][-1] == "calcium"
    file = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    on_disk = calcium(read_cube(file), rise_ms=10.0, decay_ms=80.0)
    np.testing.assert_array_equal(on_disk["calcium"], made["calcium"])
    mean = trial_mean(cut_trials(made, [100.0, 200.0], before=20, after=50))
    assert {"recruitment", "calcium", "calcium_sem"} <= set(mean)


def test_the_command_writes_it(tmp_path, capsys):
    file = write_cube(wave_cube(n_rows=2, n_cols=3), tmp_path / "a.hexrecruit.nc")
    out = tmp_path / "b.hexrecruit.nc"
    with pytest.raises(SystemExit) as end:
        main(["calcium", str(file), "-o", str(out), "--decay", "200"])
    assert end.value.code == 0
    assert "calcium" in read_cube(out)
    assert "follows after the last bin" in capsys.readouterr().out


@pytest.mark.parametrize("options", [{"rise_ms": 600.0}, {"decay_ms": 0.0}, {"rise_ms": -1.0}])
def test_kernels_that_cannot_be(options):
    with pytest.raises(ValueError, match="_ms must be"):
        calcium(wave_cube(n_rows=2, n_cols=3), **options)
