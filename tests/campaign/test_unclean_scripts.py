"""Campaigns from scripts as people write them: the script runs once, and nothing is left behind."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

import pytest
from tests.support.campaign_files import write_run

from napari_hexrecruit.campaign import list_simulations, run_campaign
from napari_hexrecruit.errors import HexRecruitError

SCRIPT = """
import sys
from napari_hexrecruit.campaign import list_simulations, run_campaign
sys.stderr.write("begun\\n")
print(run_campaign(list_simulations(sys.argv[1]), sys.argv[2], n_workers=1).n_done)
"""
AS_FUNCTION = """
from begin import work

if __name__ == "__main__":
    work()
"""


def run(*words, folder, script=None):
    words = [*map(str, words), str(folder / "runs" / "*"), str(folder / "out")]
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        input=script,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture
def runs(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / "runs" / str(seed), seed=seed)
    return tmp_path


def from_a_file(folder):
    script = folder / "a folder" / "my script.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    return run(script, folder=folder)


def from_a_module(folder):
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "script.py").write_text(SCRIPT)
    return run("-m", "package.script", folder=folder)


def from_standard_input(folder):
    return run("-", folder=folder, script=SCRIPT)


def from_the_command_line(folder):
    return run("-c", SCRIPT, folder=folder)


def from_a_function(folder):
    body = SCRIPT.strip().replace("\n", "\n    ")
    (folder / "begin.py").write_text(f"def work():\n    {body}\n")
    (folder / "script.py").write_text(AS_FUNCTION)
    return run("script.py", folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "begin",
    [from_a_file, from_a_module, from_standard_input, from_the_command_line, from_a_function],
)
def test_a_script_runs_once_with_or_without_a_guard(runs, begin):
    done = begin(runs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "begun\n")


def campaign_of(folder):
    try:
        run_campaign(list_simulations(f"{folder}/runs/*"), folder / "out", n_workers=1)
    except HexRecruitError as error:
        return str(error)
    return ""


def test_a_process_of_a_pool_says_what_it_may_not(runs):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        said = pool.map(campaign_of, [runs])[0]
    assert "may not begin others: run the campaign outside the pool" in said


@pytest.mark.slow
def test_an_own_process_that_imports_a_script_without_a_guard(runs):
    own = "multiprocessing.get_context('spawn').Process(target=print).start()"
    first = "multiprocessing.current_process().name == 'MainProcess'"
    begun = f"import multiprocessing\nif {first}:\n    {own}\n"
    (runs / "script.py").write_text(begun + SCRIPT)
    done = run("script.py", folder=runs)
    assert done.returncode == 0
    assert "put the call under if __name__ == '__main__':" in done.stderr
