"""What the first cube would wait for is ready before."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tests.support.sonata_files import simple_files

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.counting import jit
from napari_hexrecruit.counting.warm_up import warm_up, warm_up_ahead


def test_a_cube_compiles_nothing_after_the_warm_up(tmp_path, monkeypatch):
    files = simple_files()
    order = np.argsort(files.times_ms)
    files.times_ms, files.node_ids, files.sorting = files.times_ms[order], files.node_ids[order], 2
    config = files.write(tmp_path)
    warm_up()

    def compiled(loop, types):
        pytest.fail(f"{loop.__name__} was compiled for {types}")

    monkeypatch.setattr(jit, "_compiled", compiled)
    for simulation in (config, open_simulation(config)):
        assert recruitment_cube(simulation).n_spikes.sum() > 0


@pytest.mark.slow
def test_what_was_compiled_once_needs_no_compiler():
    warm_up()
    code = (
        "import sys; from napari_hexrecruit.counting.warm_up import warm_up; warm_up();"
        "print({'numba', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_is_done_once():
    assert warm_up_ahead() is warm_up_ahead()
    assert warm_up_ahead().result() is None
