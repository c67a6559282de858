"""The parent: draws plans, gives them to workers, watches these and keeps what went wrong."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from tests.fuzz.corpora import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Campaign", "draw", "repeat", "run"]

Plan = dict[str, Any]

SECONDS_PER_INPUT = 30.0
"""After that an input counts as a hang."""
_SECONDS_TO_START = 300.0
_BATCH = 40
_ROOT = Path(__file__).absolute().parents[2]


def draw(kind: str, seed: int, n: int = _BATCH) -> list[Plan]:
    """Plans of a kind; the same seed gives the same ones."""
    found: list[Plan] = []

    @seeded(seed)
    @settings(
        max_examples=n,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind].plans(kind))
    def collect(plan: Plan) -> None:
        found.append(plan)

    collect()
    return found


@dataclass
class Campaign:
    """What became of all inputs."""

    seed: int
    started: float = field(default_factory=time.monotonic)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: dict[str, tuple[float, Plan]] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    bad: list[dict[str, Any]] = field(default_factory=list)

    def add(self, plan: Plan, answer: dict[str, Any]) -> None:
        """Count an input; keep it if it went wrong."""
        kind = plan["kind"]
        self.slowest.setdefault(kind, (0.0, plan))
        self.counts.setdefault(kind, Counter())[answer["outcome"]] += 1
        if answer["seconds"] > self.slowest[kind][0]:
            self.slowest[kind] = answer["seconds"], plan
        self.peak_bytes[kind] = max(self.peak_bytes.get(kind, 0), answer["peak_bytes"])
        if answer["outcome"] in ("fault", "crash", "hang"):
            self.bad.append({"plan": plan, **answer})

    @property
    def n_inputs(self) -> int:
        """How many inputs there were."""
        return sum(sum(counts.values()) for counts in self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        """Counts and extremes, ready for JSON."""
        outcomes: Counter[str] = sum(self.counts.values(), Counter())
        return {
            "seed": self.seed,
            "seconds": round(time.monotonic() - self.started, 1),
            "n_inputs": self.n_inputs,
            "outcomes": dict(outcomes),
            "crashes": outcomes["crash"],
            "hangs": outcomes["hang"],
            "faults": outcomes["fault"],
            "peak_bytes": max(self.peak_bytes.values(), default=0),
            "slowest_seconds": max((s for s, _ in self.slowest.values()), default=0.0),
            "kinds": {
                kind: {
                    "outcomes": dict(counts),
                    "n_inputs": sum(counts.values()),
                    "slowest_seconds": self.slowest[kind][0],
                    "slowest": self.slowest[kind][1],
                    "peak_bytes": self.peak_bytes[kind],
                }
                for kind, counts in sorted(self.counts.items())
            },
            "bad": self.bad,
        }


class Worker:
    """A process that tries inputs; a new one takes the place of one that died."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hexrecruit-fuzz-"))
        self._start()

    def _start(self) -> None:
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = {**os.environ, **single, "XDG_CACHE_HOME": str(self.folder / "cache")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env=environment,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(
            target=_pump, args=(self._process.stdout, self._answers), daemon=True
        ).start()
        if not self._answers.get(timeout=_SECONDS_TO_START):
            raise RuntimeError("a worker did not start: python -m tests.fuzz.worker FOLDER")
        sound = self.folder / "sound.txt"
        if sound.exists():
            raise RuntimeError(f"sound inputs are refused: {sound.read_text()[:4000]}")

    def tried(self, plan: Plan, seconds: float = SECONDS_PER_INPUT) -> dict[str, Any]:
        """What became of an input, whatever that did to the process."""
        began = time.monotonic()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(plan) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            outcome = "hang"
            self._process.send_signal(6)  # SIGABRT: faulthandler writes where it is
        except BrokenPipeError:
            outcome = "crash"
        else:
            if line:
                found: dict[str, Any] = json.loads(line)
                return found
            outcome = "crash"
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        trace = (self.folder / "crash.txt").read_text(errors="replace")
        status = self._process.returncode
        self._start()
        return {
            "outcome": outcome,
            "faults": [trace],
            "status": status,
            "seconds": round(time.monotonic() - began, 2),
            "peak_bytes": 0,
            "stderr": "",
        }

    def close(self) -> None:
        """End the process and remove its files."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(
    *,
    seed: int,
    seconds: float,
    kinds: list[str] | None = None,
    n_workers: int = 2,
    most: int | None = None,
    keep: Path | None = None,
) -> Campaign:
    """Try inputs until the time is over.

    Parameters
    ----------
    seed
        The same seed gives the same inputs in the same order.
    seconds
        Time for the inputs; the workers need some more to start.
    kinds
        Kinds of files; None for all.
    n_workers
        Processes at a time.
    most
        Number of inputs after which to end.
    keep
        Folder for the plans of inputs that went wrong.
    """
    workers = [Worker() for _ in range(n_workers)]
    campaign, lock = Campaign(seed), threading.Lock()
    plans = _plans(seed, kinds or list(KINDS), most)
    end = time.monotonic() + seconds

    def work(worker: Worker) -> None:
        while time.monotonic() < end:
            with lock:
                plan = next(plans, None)
            if plan is None:
                return
            answer = worker.tried(plan)
            with lock:
                campaign.add(plan, answer)
                if keep is not None and answer["outcome"] in ("fault", "crash", "hang"):
                    _keep(keep, len(campaign.bad), plan, answer)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.close()
    return campaign


def repeat(plan: Plan) -> dict[str, Any]:
    """Try one input again."""
    worker = Worker()
    try:
        return worker.tried(plan)
    finally:
        worker.close()


def _plans(seed: int, kinds: list[str], most: int | None) -> Iterator[Plan]:
    """Batches of all kinds, in turn."""
    n, batch, each = 0, 0, 0
    while True:
        drawn = [draw(kind, seed * 1_000_003 + batch) for kind in kinds]
        for each in range(max(map(len, drawn))):
            for plans in drawn:
                if each < len(plans):
                    if most is not None and n >= most:
                        return
                    yield plans[each]
                    n += 1
        batch += 1


def _keep(folder: Path, number: int, plan: Plan, answer: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"plan": plan, **answer}
    (folder / f"{plan['kind']}-{number:04}.json").write_text(json.dumps(content, indent=1))


def _pump(stream: Any, answers: queue.Queue[str]) -> None:
    for line in stream:
        answers.put(line)
    answers.put("")
