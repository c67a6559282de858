"""Outputs are whole or not there: killed runs, full disks, read-only folders, several runs."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import voxcell
from tests.support.outputs_kills import kill_rounds, kinds
from tests.support.outputs_runs import Runner, hidden, listing, put, small_disk, state
from tests.support.sonata_files import simple_files
from tests.support.thorough import repetitions
from tests.support.waiting import PATIENCE_S, wait_until

from napari_hexrecruit import read_cube, write_movie
from napari_hexrecruit.storage import atomic, claims, folders
from napari_hexrecruit.storage.atomic import check_writable, written_aside
from napari_hexrecruit.storage.folders import folder_aside

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def runner(place):
    (place / "said").mkdir()
    return Runner(place / "said")


@pytest.fixture(scope="module")
def config(place):
    return simple_files().write(place / "simulation")


@pytest.fixture(scope="module")
def cube(place, config, runner):
    path = place / "cube.hexrecruit.nc"
    assert runner.run("cube", config, "-o", path) == (0, "")
    return path


# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "few", "many"),
    [
        *(("cube", 4, 10), ("zarr", 2, 4), ("mp4", 2, 4), ("gif", 2, 4), ("PNG frames", 2, 4)),
        *(("picture", 2, 2), ("node set", 2, 2), ("run file", 2, 4)),
    ],
)
def test_killed_runs_leave_the_old_output_or_the_new_one(
    runner, config, cube, tmp_path, name, few, many
):
    rounds = repetitions(few, many)
    kind, rng = kinds(config, cube)[name], np.random.default_rng(len(name))
    tally = kill_rounds(runner, tmp_path / "out", name, kind, rounds=rounds, rng=rng)
    assert tally.fine, tally
    assert tally.kept + tally.replaced == rounds
    assert tally.caught_writing or name in ("cube", "node set", "run file")  # written in a few ms


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["gif", "picture"])
def test_signals_that_can_be_caught_leave_nothing_else(
    runner, config, cube, tmp_path, name, number
):
    kind, rng = kinds(config, cube)[name], np.random.default_rng(number)
    options = {"rounds": 2, "rng": rng, "number": number, "group": True}
    tally = kill_rounds(runner, tmp_path / "out", name, kind, **options)
    assert tally.fine, tally


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes")
def test_a_run_in_the_background_does_not_hear_ctrl_c(config, cube, tmp_path):
    path = str(tmp_path / "a.gif")
    words = [str(word).replace("OUT", path) for word in kinds(config, cube)["gif"].new]
    process = subprocess.Popen(
        [
            "sh",
            "-c",
            'trap "" INT; exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "napari_hexrecruit",
            *words,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: hidden(tmp_path))
    wait_until(lambda: process.poll() is not None or os.killpg(process.pid, signal.SIGINT))
    assert (process.communicate(timeout=PATIENCE_S)[1], process.returncode) == ("", 0)
    assert listing(tmp_path) == ["a.gif"]


DROPPED = """
import os, signal, sys, weakref
from napari_hexrecruit.cli._console import run

class Thing:
    pass

def work():
    thing = Thing()
    number = signal.Signals[sys.argv[1]]
    watcher = weakref.ref(thing, lambda _: [os.kill(os.getpid(), number), sum(range(10**6))])
    del thing
    while True:
        signal.pause()

sys.exit(run(work, debug=False))
"""


LOST_ONCE = """
from napari_hexrecruit.system import signals
give, lost = signals._give, []
signals._give = lambda number: give(number) if lost else lost.append(number)
"""
"""As when it comes between the last line of Python and a wait."""


@pytest.mark.parametrize("begin", ["", LOST_ONCE], ids=["dropped", "and-lost-once"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_falls_into_a_callback_is_not_lost(name, begin):
    code = begin + DROPPED
    done = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 128 + signal.Signals[name]
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("half-written was left\n")


FAILED_WITH_IT = DROPPED.replace(
    """    while True:
        signal.pause()
""",
    """    raise OSError("a program that was needed has ended, by the same signal")
""",
)
SWALLOWED = """
import os, signal, sys
from napari_hexrecruit.cli._console import run

def work():
    try:
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])
        sum(range(10**6))
    except BaseException:  # as compiled code of some libraries does
        pass
    raise OSError("a program that was needed has ended, by the same signal")

sys.exit(run(work, debug=False))
"""
HELD = """
import os, signal, sys
from napari_hexrecruit.cli._console import run
from napari_hexrecruit.system.signals import signals_held

def work():
    with signals_held():
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])
        raise OSError("what is cleaned up cannot be")

sys.exit(run(work, debug=False))
"""
ENDED_FIRST = """
import numpy as np, os, signal, subprocess, sys, threading
from napari_hexrecruit import write_movie
from napari_hexrecruit.cli._console import run

started = []
class Popen(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        started.append(self)
subprocess.Popen = Popen
number = signal.Signals[sys.argv[1]]

def frames():
    for k in range(1000):
        if k == 5:
            ffmpeg = started[-1]
            ffmpeg.send_signal(number)
            ffmpeg.wait()
            threading.Timer(0.02, os.kill, (os.getpid(), number)).start()
        yield np.zeros((64, 64, 3), dtype=np.uint8)

sys.exit(run(lambda: write_movie(frames(), sys.argv[2]), debug=False))
"""
"""As when a signal to the whole group reaches ffmpeg a little earlier."""


@pytest.mark.parametrize(
    "code",
    [FAILED_WITH_IT, SWALLOWED, HELD, ENDED_FIRST],
    ids=["dropped", "swallowed", "held", "ffmpeg-first"],
)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_is_the_reason_for_what_fails_with_it(tmp_path, name, code):
    words = [sys.executable, "-c", code, name, str(tmp_path / "a.mp4")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 128 + signal.Signals[name], done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("half-written was left\n")
    assert listing(tmp_path) == []


# --- what killed runs leave -----------------------------------------------------------------------

ABANDONED = """
import os, sys
from pathlib import Path
from napari_hexrecruit.storage import folders
from napari_hexrecruit.storage.atomic import written_aside

folder = Path(sys.argv[1])
if sys.argv[2] == "file":
    with written_aside(folder / "a.txt") as aside:
        aside.write_text("half")
        print("here", flush=True)
        sys.stdin.read()
folders._exchange_of_system = lambda: None
os.rename = lambda a, b, rename=os.rename: [rename(a, b), b.suffix == ".old" and os._exit(9)]
with folders.folder_aside(folder / "a", overwrite=True, check=lambda _: None) as aside:
    (aside / "new.txt").write_text("new")
"""


def abandon(folder, what):
    words = [sys.executable, "-c", ABANDONED, folder, what]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_leftovers_are_cleared_when_their_run_has_ended(tmp_path):
    with abandon(tmp_path, "file") as process:
        assert process.stdout.readline() == "here\n"
        left = listing(tmp_path)
        assert left == hidden(tmp_path) and len(left) == 2
        write_text(tmp_path / "b.txt", "b")
        assert listing(tmp_path) == [*left, "b.txt"]
        process.kill()
    assert listing(tmp_path) == [*left, "b.txt"]
    check_writable(tmp_path / "c.txt", overwrite=False)
    assert listing(tmp_path) == ["b.txt"]


def test_leftovers_of_another_computer_are_kept_for_a_week(tmp_path):
    with abandon(tmp_path, "file") as process:
        process.stdout.readline()
        process.kill()
    (lock,) = [tmp_path / name for name in hidden(tmp_path) if name.endswith("lock")]
    lock.write_text(lock.read_text().replace('"host": "', '"host": "not-'))
    left = listing(tmp_path)
    write_text(tmp_path / "b.txt", "b")
    assert listing(tmp_path) == [*left, "b.txt"]
    for name in left:
        os.utime(tmp_path / name, (time.time() - 8 * 86_400,) * 2)
    write_text(tmp_path / "c.txt", "c")
    assert listing(tmp_path) == ["b.txt", "c.txt"]


@pytest.mark.parametrize("age_days", [0, 8])
def test_what_has_no_lock_is_kept_for_a_week(tmp_path, age_days):
    path = tmp_path / ".a.mp4.0123456789abcdef.part.mp4"
    path.write_text("half")
    os.utime(path, (time.time() - age_days * 86_400,) * 2)
    claims.clear_leftovers(tmp_path)
    assert path.exists() == (age_days < 7)


def test_other_hidden_files_are_never_touched(tmp_path):
    names = [".a.mp4.part", ".a.0123456789abcde.part", "a.0123456789abcdef.part", ".thesis.lock"]
    names += [".a.0123456789abcdef.old", ".a.0123456789abcdeg.lock", ".a.0123456789abcdef.parts"]
    for name in names:
        (tmp_path / name).write_text("mine")
        os.utime(tmp_path / name, (0, 0))
    claims.clear_leftovers(tmp_path)
    assert listing(tmp_path) == sorted(names)


def test_a_folder_that_was_being_replaced_gets_its_name_back(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old.txt").write_text("old")
    with abandon(tmp_path, "folder") as process:
        assert process.wait(PATIENCE_S) == 9
    assert not (tmp_path / "a").exists() and len(hidden(tmp_path)) == 3
    with pytest.raises(FileExistsError, match="holds other files too"):
        write_movie(FRAMES, tmp_path / "a")  # the name is not free: the old folder is back
    assert listing(tmp_path) == ["a"] and listing(tmp_path / "a") == ["old.txt"]


# --- taking a name --------------------------------------------------------------------------------


def write_text(path, text, **options):
    with written_aside(path, **options) as aside:
        aside.write_text(text)


def fill(path, text, *, overwrite=False, check=lambda _: None):
    with folder_aside(path, overwrite=overwrite, check=check) as aside:
        (aside / text).write_text(text)


@pytest.fixture(params=["usual", "without links and exchange"])
def file_system(request, monkeypatch):
    """The real one, and what FAT or some network file systems answer."""

    def no_links(*args, **kwargs):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param != "usual":
        monkeypatch.setattr(atomic.os, "link", no_links)
        monkeypatch.setattr(folders, "_exchange_of_system", lambda: None)
    return request.param


@pytest.mark.usefixtures("file_system")
class TestNames:
    def test_of_two_files_the_later_is_refused(self, tmp_path):
        path = tmp_path / "a.txt"
        with pytest.raises(FileExistsError, match="was created meanwhile"):  # noqa: SIM117
            with written_aside(path) as later:
                later.write_text("later")
                write_text(path, "first")
        assert state(path) == b"first" and listing(tmp_path) == ["a.txt"]

    def test_of_two_folders_the_later_is_refused(self, tmp_path):
        path = tmp_path / "a"
        with pytest.raises(FileExistsError, match="was created meanwhile"):  # noqa: SIM117
            with folder_aside(path, overwrite=False, check=lambda _: None) as later:
                (later / "later").write_text("later")
                fill(path, "first")
        assert state(path) == {"first": b"first"} and listing(tmp_path) == ["a"]

    def test_of_two_that_replace_the_later_stays(self, tmp_path):
        file, folder = tmp_path / "a.txt", tmp_path / "a"
        write_text(file, "old")
        fill(folder, "old")
        with (
            written_aside(file, overwrite=True) as later,
            folder_aside(folder, overwrite=True, check=lambda _: None) as filled,
        ):
            later.write_text("later")
            (filled / "later").write_text("later")
            write_text(file, "first", overwrite=True)
            fill(folder, "first", overwrite=True)
        assert (state(file), state(folder)) == (b"later", {"later": b"later"})
        assert listing(tmp_path) == ["a", "a.txt"]

    def test_what_comes_into_a_folder_meanwhile_is_not_lost(self, tmp_path):
        def only_frames(folder):
            if "thesis" in listing(folder):
                raise FileExistsError(f"{folder}: holds other files too")

        fill(tmp_path / "a", "frame")
        with pytest.raises(FileExistsError, match=r"/a: holds other files too"):  # noqa: SIM117
            with folder_aside(tmp_path / "a", overwrite=True, check=only_frames) as aside:
                (aside / "new").write_text("new")
                (tmp_path / "a" / "thesis").write_text("mine")
        assert state(tmp_path / "a") == {"frame": b"frame", "thesis": b"mine"}
        assert listing(tmp_path) == ["a"]

    def test_an_empty_folder_is_filled(self, tmp_path):
        (tmp_path / "a").mkdir()
        fill(tmp_path / "a", "new")
        assert state(tmp_path / "a") == {"new": b"new"}

    def test_a_link_to_a_folder_stays_one(self, tmp_path):
        fill(tmp_path / "a", "old")
        (tmp_path / "link").symlink_to("a")
        fill(tmp_path / "link", "new", overwrite=True)
        assert (tmp_path / "link").is_symlink() and state(tmp_path / "a") == {"new": b"new"}

    def test_it_is_synced_before_it_has_its_name_and_the_folder_after(self, tmp_path, monkeypatch):
        def spy(name):
            real = getattr(os, name)

            def call(first, *rest, **options):
                what = os.readlink(f"/proc/self/fd/{first}") if name == "fsync" else str(rest[0])
                called.append((name, os.path.basename(what)))
                return real(first, *rest, **options)

            monkeypatch.setattr(atomic.os, name, call)

        if not os.path.isdir("/proc/self/fd"):
            pytest.skip("open files are not listed here")
        called = []
        for name in ("fsync", "link", "replace", "rename"):
            spy(name)
        write_text(tmp_path / "a.txt", "new")
        fill(tmp_path / "a", "new")
        names = [
            (call, "part" if ".part" in name else name)
            for call, name in called
            if name != "a.txt" or call != "link"
        ]
        synced = [name for call, name in names if call == "fsync"]
        assert synced == ["part", tmp_path.name, "new", "part", tmp_path.name]
        assert called[0][0] == "fsync" and called[-2] == ("rename", "a")


def test_dangling_links_and_pipes_are_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileExistsError, match="exists: choose another name"):
        write_text(tmp_path / "link", "new")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="is a device or a pipe"):
        write_text(tmp_path / "pipe", "new", overwrite=True)


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileExistsError, match="is the current folder: name a new folder in it"):
        write_movie(FRAMES, "./")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["10:20", "%03d", "-y", "concat:a", "ü" * 100, "n" * 240])
@pytest.mark.parametrize("ending", [".mp4", ".gif", ""])
def test_names_are_taken_literally(tmp_path, monkeypatch, name, ending):
    monkeypatch.chdir(tmp_path)
    write_movie(FRAMES, name + ending)
    write_movie(FRAMES, name + ending, overwrite=True)
    assert listing(tmp_path) == [name + ending]


def test_a_folder_that_goes_away_is_told(tmp_path):
    def frames():
        yield from FRAMES[:2]
        while (tmp_path / "out").exists():  # the first frames are still being written into it
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
        yield FRAMES[2]

    (tmp_path / "out").mkdir()
    with pytest.raises(FileNotFoundError, match="No such file or directory") as caught:
        write_movie(frames(), tmp_path / "out" / "a")
    assert caught.value.filename == str(tmp_path / "out" / "a")
    assert listing(tmp_path) == []


# --- full disks and read-only folders -------------------------------------------------------------


OLD = {"PNG frames": {"frame-000.png": b"old"}, "zarr": {"zarr.json": b"old"}}


@contextlib.contextmanager
def scarce(folder, kilobytes):
    """A folder on a small disk, or where none can be mounted a limit for each file."""
    with small_disk(folder, kilobytes) as disk:
        yield {} if disk else {"file_limit": kilobytes * 1024}


@pytest.mark.parametrize(
    ("name", "kilobytes"),
    [
        *(("cube", 40), ("cube", 24), ("zarr", 40), ("mp4", 40), ("gif", 40), ("PNG frames", 40)),
        *(("picture", 16), ("node set", 8)),
    ],
)
def test_a_full_disk_is_one_line_and_keeps_the_old_output(
    runner, config, cube, tmp_path, name, kilobytes
):
    kind, folder = kinds(config, cube)[name], tmp_path / "disk"
    path = folder / kind.name
    old = OLD.get(name, b"old")
    with scarce(folder, kilobytes) as options:
        put(path, old)
        words = [str(word).replace("OUT", str(path)) for word in kind.new]
        status, said = runner.run(*words, **options)
        assert (status, said.count("\n")) == (2, 1), said
        assert said.startswith(f"hexrecruit: {path}")
        assert os.strerror(errno.EFBIG if options else errno.ENOSPC) in said
        assert state(path) == old and listing(folder) == [kind.name]


def test_a_full_disk_for_the_run_file_keeps_the_cube(runner, config, tmp_path):
    path = tmp_path / "a.hexrecruit.nc"
    with scarce(tmp_path / "disk", 8) as options:
        if options:
            pytest.skip("the limit for each file would hold for the cube too")
        (tmp_path / "disk" / "filler").write_bytes(bytes(4096))
        run_file = tmp_path / "disk" / "run.yaml"
        status, said = runner.run("cube", config, "-o", path, "--run-file", run_file)
        assert (status, said.count("\n")) == (2, 1), said
        assert said == f"hexrecruit: {run_file}: {os.strerror(errno.ENOSPC)}\n"
        assert listing(tmp_path / "disk") == ["filler"]
    assert read_cube(path).sizes["time"] == 10


@pytest.fixture
def read_only(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


@pytest.mark.parametrize("name", ["cube", "zarr", "mp4", "PNG frames", "picture", "run file"])
def test_a_read_only_folder_is_one_line(runner, config, cube, read_only, tmp_path, name):
    kind = kinds(config, cube)[name]
    put(read_only / kind.name, None if name == "run file" else OLD.get(name, b"old"))
    before = listing(read_only)
    read_only.chmod(0o555)
    path = str(read_only / kind.name)
    elsewhere = str(tmp_path / "a.hexrecruit.nc")
    words = [str(word).replace("OUT.hexrecruit.nc", elsewhere) for word in kind.new]
    status, said = runner.run(*[word.replace("OUT", path) for word in words], powerless=True)
    assert said == f"hexrecruit: {read_only}: the folder is read-only: choose another one\n"
    assert status == 2 and listing(read_only) == before
    assert not os.path.exists(elsewhere)  # said before anything was computed


# --- several runs ---------------------------------------------------------------------------------


def started_together(runner, words, n=4):
    runs = [runner.start(*words(k)) for k in range(n)]
    return [run.wait() for run in runs]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cube", "zarr", "mp4", "PNG frames"])
def test_of_several_runs_for_one_name_one_is_taken(runner, config, cube, tmp_path, name):
    kind = kinds(config, cube)[name]
    words = [str(word).replace("OUT", str(tmp_path / kind.name)) for word in kind.new]
    ends = started_together(runner, lambda _: [w for w in words if w != "--overwrite"])
    assert sorted(status for status, _ in ends) == [0, 2, 2, 2], ends
    for status, said in ends:
        assert (said == "") if status == 0 else (said.count("\n") == 1 and "overwrit" in said)
    first = state(tmp_path / kind.name)
    assert [status for status, _ in started_together(runner, lambda _: words)] == [0] * 4
    assert state(tmp_path / kind.name) == first and listing(tmp_path) == [kind.name]


@pytest.mark.slow
def test_several_runs_into_one_folder_with_one_run_file(runner, config, tmp_path):
    run_file = tmp_path / "run.yaml"

    def words(k):
        return ["cube", config, "-o", tmp_path / f"{k}.hexrecruit.nc", "--run-file", run_file]

    assert started_together(runner, words) == [(0, "")] * 4
    files = [f"{k}.hexrecruit.nc" for k in range(4)]
    assert listing(tmp_path) == [*files, "run.yaml"]
    assert len({state(tmp_path / name) for name in files}) == 1
    again = ["cube", config, "-o", tmp_path / "5.hexrecruit.nc", "--run-file", run_file]
    assert runner.run(*again) == (0, "")


# --- a cache that cannot be written ---------------------------------------------------------------


@pytest.fixture(scope="module")
def flatmap(place):
    voxels = np.stack(np.meshgrid(*[np.arange(10)] * 3, indexing="ij"), axis=-1)
    centres = 100.0 * voxels[..., [0, 2]] + 50.0
    voxcell.VoxelData(centres, (100.0,) * 3).save_nrrd(str(place / "flatmap.nrrd"))
    return place / "flatmap.nrrd"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["none", "full", "read-only"])
def test_a_cache_that_cannot_be_written_is_said_and_no_trouble(
    runner, config, flatmap, read_only, tmp_path, trouble
):
    home = read_only if trouble == "read-only" else tmp_path / "disk"
    words = ["cube", config, "--flatmap", flatmap, "--radius", "400"]
    with scarce(tmp_path / "disk", 4) if trouble == "full" else contextlib.nullcontext({}) as limit:
        if limit:
            pytest.skip("the limit for each file would hold for the cube too")
        read_only.chmod(0o555)
        environment = {"XDG_CACHE_HOME": str(home)}
        options = {"environment": environment, "powerless": trouble == "read-only"}
        status, said = runner.run(*words, "-o", tmp_path / "a.hexrecruit.nc", **options)
        assert status == 0
        assert said.count("\n") == said.count("cannot be stored"), said
        assert said.count("\n") in ((0,) if trouble == "none" else (1, 2))  # and compiled loops
    status, _ = runner.run(*words, "-o", tmp_path / "b.hexrecruit.nc")
    assert state(tmp_path / "a.hexrecruit.nc") == state(tmp_path / "b.hexrecruit.nc")
