"""Tests assert what is meant: they measure no time and no memory, and wait for events.

How long something takes, and how large a process is, depends on what else the machine does and on
threads of earlier tests. That belongs to the benchmarks; a test counts reads, calls or bytes of
arrays, and waits with the helpers of `tests.support.waiting` and `tests.support.qt_events`.
"""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]

DOUBTFUL = re.compile(
    r"tracemalloc|perf_counter|monotonic\(|process_time|time\.time\(|getrusage|memory_info|maxrss"
    r"|\bsleep\(|\b(?:qtbot|_qtbot)\.wait\(|qWait\(|\.wait\([0-9.]+\)|active_count"
)

ALLOWED = {
    "fuzz/driver.py": "the time that is given to a search, and to an input that may hang",
    "fuzz/worker.py": "the slowest inputs are listed in a report",
    "house/test_honest_tests.py": "the rule itself",
    "storage/test_outputs.py": "dates of files a week ago",
    "support/mouse.py": "vispy and napari leave out moves that come too soon after another",
    "support/outputs_kills.py": "kills come at random moments; what is asserted holds at any",
    "support/outputs_runs.py": "over how long the random moments are spread",
    "support/slow_motion.py": "makes events late on purpose, only where it is asked for",
    "support/waiting.py": "the one place where a wait looks again and again",
}


def test_no_test_measures_time_or_memory_or_sleeps():
    found = [
        f"{path.relative_to(TESTS).as_posix()}:{number}: {line.strip()}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.relative_to(TESTS).as_posix() not in ALLOWED
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if DOUBTFUL.search(line)
    ]
    assert found == []


def test_what_is_allowed_is_still_needed():
    needless = [
        name for name in ALLOWED if not DOUBTFUL.search((TESTS / name).read_text(encoding="utf-8"))
    ]
    assert needless == []
