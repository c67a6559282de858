"""How much memory there is: what the system has, and the limits of batch jobs and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from tests.support.sonata_files import simple_files

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.system.memory import free_bytes

if TYPE_CHECKING:
    from pathlib import Path

NO_LIMIT_1 = str(2**63 - 4096)


def tree(folder: Path, groups: str, files: dict[str, str]) -> dict[str, Path]:
    """A file that names groups, and the files of groups; what to give to `free_bytes`."""
    (folder / "cgroup").write_text(groups)
    for name, content in files.items():
        file = folder / "mount" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return {"cgroups": folder / "cgroup", "mount": folder / "mount"}


def version_2(group: str, limit: str, used: int, stat: str = "") -> dict[str, str]:
    files = {"memory.max": f"{limit}\n", "memory.current": f"{used}\n", "memory.stat": stat}
    return {f"{group}/{name}": text for name, text in files.items()}


def version_1(group: str, limit: str, used: int, stat: str = "") -> dict[str, str]:
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    return {
        f"memory/{group}/{n}": t for n, t in zip(names, (limit, f"{used}\n", stat), strict=True)
    }


JOB = "system.slice/slurm/job_7/step_0"
CASES = {
    "version 2": ("0::/job\n", version_2("job", "3000", 100), 2900),
    "version 2, used up": ("0::/job\n", version_2("job", "100", 3000), 0),
    "version 2, the cache of files can be given back": (
        "0::/job\n",
        version_2("job", "3000", 2000, "anon 500\ninactive_file 1400\nactive_file 100\n"),
        2400,
    ),
    "version 2, the limit is on a group around": (
        f"0::/{JOB}\n",
        version_2(JOB, "max", 10) | version_2("system.slice/slurm/job_7", "5000", 100),
        4900,
    ),
    "version 2, the nearest of several limits": (
        "0::/a/b\n",
        version_2("a/b", "5000", 0) | version_2("a", "4000", 1500),
        2500,
    ),
    "version 2, in a container whose root is the mount": (
        "0::/docker/0123abcd\n",
        version_2(".", "3000", 100),
        2900,
    ),
    "version 1": ("4:memory:/job\n1:cpu:/other\n", version_1("job", "3000", 100), 2900),
    "version 1, nested, with cache": (
        "9:name=systemd:/x\n4:cpu,memory:/job/step\n",
        version_1("job/step", NO_LIMIT_1, 1)
        | version_1("job", "3000", 2900, "cache 1\ntotal_inactive_file 900\n"),
        1000,
    ),
    "both versions": (
        "4:memory:/job\n0::/job\n",
        version_1("job", "3000", 0) | version_2("job", "2000", 0),
        2000,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_limits_of_control_groups(tmp_path, name):
    groups, files, free = CASES[name]
    assert free_bytes(**tree(tmp_path, groups, files)) == free


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/job\n", version_2("job", "max", 100)),
        ("4:memory:/job\n", version_1("job", NO_LIMIT_1, 100)),
        ("4:cpu:/job\n", version_1("job", "3000", 100)),
        ("0::/job\n", {"job/memory.max": "3000"}),
        ("not a group\n\n::\n", {}),
        ("0::/../..\n", {}),
    ],
)
def test_without_a_limit_it_is_what_the_system_has(tmp_path, groups, files):
    found = free_bytes(**tree(tmp_path, groups, files))
    assert found == pytest.approx(psutil.virtual_memory().available, rel=0.5)


def test_without_control_groups(tmp_path):
    """As on macOS and Windows."""
    found = free_bytes(cgroups=tmp_path / "none", mount=tmp_path / "none")
    assert found == pytest.approx(psutil.virtual_memory().available, rel=0.5)


def test_spikes_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    """The guard of files asks the same function."""
    from napari_hexrecruit.sonata import open_simulation
    from napari_hexrecruit.storage import hdf5

    config = simple_files().write(tmp_path)
    monkeypatch.setattr(hdf5, "free_bytes", lambda: 1000)
    with pytest.raises(SimulationDataError, match=r"needs 0\.0 GB of memory, and 0\.0 GB are"):
        open_simulation(config).spikes("cortex")
    monkeypatch.undo()
    assert np.isfinite(recruitment_cube(config)["n_spikes"]).all()
