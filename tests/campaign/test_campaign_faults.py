"""What happens to a campaign when a worker dies, the scheduler goes, or the user has had enough."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import dask
import distributed
import pytest
from distributed.diagnostics.plugin import WorkerPlugin
from tests.support.campaign_files import write_grid
from tests.support.waiting import PATIENCE_S, wait_until

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit.campaign import list_simulations, open_campaign, run_campaign, select_cube
from napari_hexrecruit.campaign._cluster import connected
from napari_hexrecruit.errors import HexRecruitError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]

if TYPE_CHECKING:
    from pathlib import Path

CA, SEEDS = (1.0, 1.1), (1, 2, 3)
N = len(CA) * len(SEEDS)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    return list_simulations(write_grid(tmp_path_factory.mktemp("runs"), CA, SEEDS))


class Killer(WorkerPlugin):
    """Kills the worker's process while it writes the cube of a simulation, or just after.

    Parameters
    ----------
    victim
        Part of the simulation's path.
    cubes
        Folder of the cubes.
    deaths
        File with a line per death.
    at_most
        Deaths.
    """

    def __init__(self, victim: str, cubes: Path, deaths: Path, at_most: int) -> None:
        self.victim, self.cubes, self.deaths, self.at_most = victim, cubes, deaths, at_most

    def setup(self, worker: object) -> None:
        self.worker = worker
        self.once = threading.Lock()  # two threads may kill: only one is to be counted

    def transition(self, key, start, finish, **kwargs):
        task = self.worker.state.tasks.get(key)
        if task is None or self.victim not in repr(getattr(task.run_spec, "args", "")):
            return
        if finish == "executing":
            threading.Thread(target=self.kill_while_it_writes, daemon=True).start()
        elif start == "executing":
            self.kill()

    def kill_while_it_writes(self):
        wait_until(lambda: any(".part" in name for name in os.listdir(self.cubes)))
        self.kill()

    def kill(self):
        with self.once, self.deaths.open("a+") as file:
            file.seek(0)
            if len(file.readlines()) < self.at_most:
                file.write(f"{os.getpid()}\n")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_costs_its_own_simulation_which_is_retried(campaign, tmp_path, monkeypatch):
    deaths = tmp_path / "deaths"
    monkeypatch.setenv("SET_JUST_NOW", "yes")
    with connected(n_workers=2) as client:
        assert set(client.run(os.getenv, "SET_JUST_NOW").values()) == {"yes"}
        client.register_plugin(Killer("/runs/3/", tmp_path / "out" / "cubes", deaths, at_most=1))
        before = set(client.run(os.getpid).values())
        result = run_campaign(campaign, tmp_path / "out", scheduler=client)
    assert int(deaths.read_text()) in before
    assert (result.n_done, result.failures) == (N, {})
    dataset = open_campaign(tmp_path / "out")
    for member in campaign.members:
        assert select_cube(dataset, member.parameters).identical(recruitment_cube(member.path))


def test_a_simulation_that_kills_each_worker_fails_and_the_rest_is_finished(campaign, tmp_path):
    deaths = tmp_path / "deaths"
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        connected(n_workers=2) as client,
    ):
        client.register_plugin(Killer("/runs/0/", tmp_path / "out" / "cubes", deaths, at_most=99))
        result = run_campaign(campaign, tmp_path / "out", scheduler=client)
    assert deaths.read_text().count("\n") == 4  # twice among others, twice alone
    assert result.n_done == N - 1
    (reason,) = result.failures.values()
    assert "runs/0/simulation_config.json: its worker process died each time" in reason
    assert open_campaign(tmp_path / "out")["recruitment"].sel(ca=1.0, seed=1).isnull().all()


class TestSchedulers:
    def test_one_that_runs_is_used(self, campaign, tmp_path):
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=None
        ) as cluster:
            result = run_campaign(
                campaign, tmp_path / "out", scheduler=cluster.scheduler_address, n_workers=7
            )
            assert len(cluster.workers) == 1
        assert (result.n_done, result.failures) == (N, {})

    def test_one_that_does_not_answer_is_told(self, campaign, tmp_path, monkeypatch):
        monkeypatch.setattr("napari_hexrecruit.campaign._cluster._SECONDS_TO_CONNECT", 0.5)
        with pytest.raises(HexRecruitError, match="no dask scheduler answers there") as told:
            run_campaign(campaign, tmp_path / "out", scheduler="tcp://127.0.0.1:1")
        assert "\n" not in str(told.value)

    def test_one_that_goes_away_is_told_and_what_is_done_is_kept(self, campaign, tmp_path):
        out = tmp_path / "out"
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster:

            def close(what, done, total):
                if (what, done) == ("computing cubes", 2):
                    cluster.close()

            with pytest.raises(HexRecruitError, match="the scheduler has gone: start it again"):
                run_campaign(campaign, out, scheduler=cluster.scheduler_address, progress=close)
        states = states_of(out)
        assert states.count("done") >= 2 and "failed" not in states


def test_workers_begun_elsewhere_finish_what_one_that_is_killed_leaves(campaign, tmp_path):
    """As users begin them: ``dask scheduler``, ``dask worker``."""
    file, out = tmp_path / "scheduler.json", tmp_path / "out"
    told = ("--scheduler-file", str(file), "--no-dashboard")
    workers = [("worker", *told, "--nthreads", "1"), ("worker", *told, "--nthreads", "1")]
    with ExitStack() as stack:
        scheduler, first, second = (
            stack.enter_context(begun("dask", *words))
            for words in (("scheduler", *told, "--port", "0"), *workers)
        )
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address) as client:
            client.wait_for_workers(2)

        def kill(what, done, total):
            if (what, done) == ("computing cubes", 2):
                first.kill()
                first.wait()

        result = run_campaign(campaign, out, scheduler=address, progress=kill)
        assert (result.n_done, result.failures) == (N, {})
        assert first.poll() == -signal.SIGKILL
        assert (scheduler.poll(), second.poll()) == (None, None)
    dataset = open_campaign(out)
    for member in campaign.members:
        assert select_cube(dataset, member.parameters).identical(recruitment_cube(member.path))


@contextmanager
def begun(module, *words):
    """A command of a module as a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)


class TestInterrupts:
    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
    )
    def test_ctrl_c_ends_in_a_sentence_and_the_same_command_goes_on(self, tmp_path, number, status):
        path = write_grid(tmp_path, tuple(range(5)), (1, 2, 3))
        out = tmp_path / "out"
        command = [sys.executable, "-m", "napari_hexrecruit", "campaign", str(path), "-o", str(out)]
        process = subprocess.Popen(
            [*command, "--workers", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_until(lambda: "done" in states_of(out))
        # as a terminal does: to all processes of the group; a batch system signals the first alone
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        said, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == status, errors
        assert said.endswith("what is done is kept; the same command goes on from there\n")
        assert len(errors.splitlines()) == 1 and "nothing half-written was left" in errors
        states = states_of(out)
        n_done = states.count("done")
        assert 1 <= n_done < 15 and set(states) == {"done", "waiting"}
        assert not (out / "campaign.hexrecruit.zarr").exists()

        done = subprocess.run([*command, "--workers", "2"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert f"15 simulations done, {n_done} of them before" in done.stdout
        assert not done.stderr
        assert sorted(os.listdir(out / "cubes")) == sorted(f"{k}.hexrecruit.nc" for k in range(15))


def states_of(out):
    path = out / "campaign.hexrecruit.json"
    content = json.loads(path.read_text()) if path.exists() else {"simulations": []}
    return [simulation["state"] for simulation in content["simulations"]]
