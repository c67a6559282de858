"""Caches are believed when their checksum is right, and made again when it is not."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.outputs_runs import hidden, listing
from tests.support.waiting import PATIENCE_S, wait_until

from napari_hexrecruit.storage import cache

KEY = {"what": "test"}
ARRAYS = {"x": np.arange(1000.0), "n": np.arange(5, dtype=np.int32)}


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    return folder


def cached():
    made = []
    found = cache.cached_arrays(KEY, lambda: made.append(1) or ARRAYS)
    assert found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values, strict=True)
    return bool(made)


def with_sum(content):
    """What a program that knows of the checksum, and not of the rest, would write."""
    return hashlib.sha256(content).digest() + content


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


class Trap:
    """Code that runs where a pickle is believed."""

    def __reduce__(self):
        return (os._exit, (66,))


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda good, k=k: good[: len(good) * k // 7] for k in range(7)),
        *(lambda good, k=k: flipped(good, len(good) * k // 40) for k in range(40)),
        lambda good: good + b"more",
        lambda good: b"\x80\x04N.",
        lambda good: saved(**ARRAYS),
        lambda good: with_sum(saved(**ARRAYS)),
        lambda good: with_sum(saved(key=np.zeros(3, np.uint8), **ARRAYS)),
        lambda good: with_sum(saved(key=np.array([Trap()], dtype=object))),
        lambda good: saved(x=np.array([Trap()], dtype=object)),
        lambda good: with_sum(b"not zipped"),
        lambda good: None,
    ],
)
def test_a_damaged_cache_is_computed_again(cache_folder, caplog, damage):
    assert cached() and not cached()
    (path,) = cache_folder.iterdir()
    good = path.read_bytes()
    damaged = damage(good)
    if damaged is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(damaged)
    assert cached() and len(caplog.records) == 1
    if damaged is not None:
        assert not cached() and path.read_bytes() == good


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :]


def test_the_cache_of_somebody_else_is_used_though_it_cannot_be_touched(cache_folder, monkeypatch):
    def not_yours(*args, **kwargs):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    assert cached()
    monkeypatch.setattr(cache.os, "utime", not_yours)
    assert not cached()


def use_cache(folder, seed):
    """Store and read a few keys over and over; the status says whether all was right."""
    cache.cache_folder = lambda: Path(folder)
    cache._MOST_BYTES = 60_000
    for k in np.random.default_rng(seed).integers(0, 5, 60):
        want = np.full(4000, k, dtype=np.float32)
        found = cache.cached_arrays({"k": int(k)}, lambda want=want: {"a": want})
        if not np.array_equal(found["a"], want):
            os._exit(1)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_concurrent_and_killed_writers_do_not_harm_a_cache(tmp_path, killed):
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "cache"
    arguments = [(str(folder), seed) for seed in range(3)]
    processes = [context.Process(target=use_cache, args=a, daemon=True) for a in arguments]
    for process in processes:
        process.start()
    if killed:
        wait_until(lambda: folder.exists() and len(listing(folder)) >= 3)
        for process in processes:
            process.kill()
    for process in processes:
        process.join(PATIENCE_S)
    if not killed:
        assert [process.exitcode for process in processes] == [0, 0, 0]
    checker = context.Process(target=use_cache, args=(str(folder), 3))
    checker.start()
    checker.join(PATIENCE_S)
    assert checker.exitcode == 0 and hidden(folder) == []


COMPILED = """
import numpy as np
from napari_hexrecruit.counting import jit

@jit.jit(reads="values")
def total(values):
    sum = 0.0
    for value in values:
        sum += value
    return sum

print(total(np.arange(5.0)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: flipped(b, len(b) // 2)])
def test_damaged_compiled_code_is_compiled_again(tmp_path, damage):
    (tmp_path / "code.py").write_text(COMPILED)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        words = [sys.executable, tmp_path / "code.py"]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True)

    assert (run().stdout, run().stderr) == ("10.0\n", "")
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"loop.o", "loop.json", "checksums.json"}
    good = {path: path.read_bytes() for path in files}
    for path in files:
        path.write_bytes(damage(good[path]))
    done = run()
    assert done.stdout == "10.0\n" and "made again" in done.stderr
    (sums,) = [path for path in files if path.name == "checksums.json"]
    assert json.loads(sums.read_text()).keys() == json.loads(good[sums]).keys()
    assert run().stderr == ""


def test_folders_that_nobody_uses_are_forgotten(tmp_path):
    def make(name):
        cache.cached_folder(tmp_path / name, lambda aside: (aside / "a").write_text(name))

    for name in ("used", "unused", "foreign"):
        make(name)
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "foreign" / "thesis").write_text("mine")
    os.utime(tmp_path / "foreign", (0, 0))
    make("used")
    make("new")
    assert listing(tmp_path) == ["foreign", "new", "used"]
