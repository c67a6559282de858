"""Movies read back: number, rate, size and colours of frames; and what is left when it fails."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe, read_frames
from PIL import Image
from tests.support.cubes import letter_cube, wave_cube
from tests.support.waiting import wait_until

from napari_hexrecruit.errors import MissingExtraError
from napari_hexrecruit.hexgrid import rowcol_to_ij
from napari_hexrecruit.render.frames import render_frames
from napari_hexrecruit.render.movie import write_movie
from napari_hexrecruit.render.picture import write_frame

ROOT = Path(__file__).parents[2]
SIZE = (320, 240)
CODEC_TOLERANCE = 20
"""Largest error of a channel in the middle of a hexagon, of 255."""


@pytest.fixture
def frames():
    """12 frames; in frame k column k is at 60 % and the others at 10 %."""
    made = render_frames(wave_cube(n_bins=12), size=SIZE, clim=(0, 60))
    assert len(made) == 12
    return made


def decoded(path):
    """Number of frames per second, and (n_frames, height, width, 3) frames of a movie file."""
    reader = read_frames(str(path), pix_fmt="rgb24")
    meta = next(reader)
    width, height = meta["source_size"]
    parts = [np.frombuffer(part, dtype=np.uint8).reshape(height, width, 3) for part in reader]
    return meta, np.stack(parts)


def middles(frames):
    """Pixels (y, x) in the middles of the hexagons of row 4."""
    panel = frames.scene.panels[0]
    x, y = panel.hexes.grid.hex_to_xy(*rowcol_to_ij([4] * 12, range(12)))
    px, py = panel.view.to_pixels(x, y)
    return panel.box.top + py.astype(int), panel.box.left + px.astype(int)


def listing(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


# --- read back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_a_movie_file_has_the_frames_rate_size_and_colours(frames, tmp_path, ending):
    path = write_movie(frames, tmp_path / f"wave{ending}", fps=8)
    meta, found = decoded(path)
    assert found.shape == (12, SIZE[1], SIZE[0], 3)
    assert meta["fps"] == pytest.approx(8) and meta["duration"] == pytest.approx(12 / 8, abs=0.02)
    at = middles(frames)
    for k, frame in enumerate(found):
        off = np.abs(frame[at].astype(int) - frames[k][at])
        assert off.max() <= CODEC_TOLERANCE, k
    assert listing(tmp_path) == [f"wave{ending}"]


def test_an_mp4_is_for_browsers(frames, tmp_path):
    path = write_movie(frames, tmp_path / "wave.mp4")
    said = subprocess.run(
        [get_ffmpeg_exe(), "-hide_banner", "-i", str(path)], capture_output=True, text=True
    ).stderr
    assert re.search(r"Video: h264.*yuv420p\(tv, bt709", said), said
    assert "20 fps" in said
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_gif_has_the_frames_rate_size_and_one_palette(frames, tmp_path):
    path = write_movie(frames, tmp_path / "wave.gif", fps=10)
    at = middles(frames)
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (12, SIZE)
        assert image.info["loop"] == 0
        for k in range(12):
            image.seek(k)
            assert image.info["duration"] == 100
            found = np.asarray(image.convert("RGB")).astype(int)
            assert np.abs(found[at] - frames[k][at]).max() <= 4, k
    assert listing(tmp_path) == ["wave.gif"]
    assert has_no_local_palette(path.read_bytes())


def has_no_local_palette(gif):
    """Whether every image of a GIF uses the palette at its start."""
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    images = 0
    while gif[at] != 0x3B:
        if gif[at] == 0x2C:
            if gif[at + 9] & 0x80:
                return False
            images, at = images + 1, at + 11
        else:
            at += 2
        while gif[at]:
            at += gif[at] + 1
        at += 1
    return images > 0


def test_still_parts_of_a_gif_do_not_flicker(frames, tmp_path):
    path = write_movie(frames, tmp_path / "wave.gif")
    with Image.open(path) as image:
        bars = []
        for k in range(12):
            image.seek(k)
            bars.append(np.asarray(image.convert("RGB"))[:, 270:])
    assert all(np.array_equal(bar, bars[0]) for bar in bars)


@pytest.mark.parametrize("name", ["pictures/", "pictures"])
def test_a_folder_has_exactly_the_frames(frames, tmp_path, name):
    path = write_movie(frames, f"{tmp_path}/{name}")
    assert listing(path) == [f"frame-{k:03d}.png" for k in range(12)]
    for k in range(12):
        found = np.asarray(Image.open(path / f"frame-{k:03d}.png"))
        assert np.array_equal(found, frames[k])
    assert listing(tmp_path)[0] == "pictures" and len(listing(tmp_path)) == 13
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_folder_keeps_transparency(tmp_path):
    frames = render_frames(letter_cube(), size=SIZE, background="transparent")
    path = write_movie(frames, tmp_path / "pictures")
    image = Image.open(path / "frame-000.png")
    assert image.mode == "RGBA" and np.array_equal(np.asarray(image), frames[0])


def test_webm_keeps_transparency(tmp_path):
    frames = render_frames(letter_cube(), size=SIZE, background="transparent")
    path = write_movie(frames, tmp_path / "letter.webm")
    command = [get_ffmpeg_exe(), "-v", "error", "-c:v", "libvpx-vp9", "-i", str(path)]
    command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-frames:v", "1", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    alpha = np.frombuffer(raw, dtype=np.uint8).reshape(SIZE[1], SIZE[0], 4)[..., 3]
    assert np.abs(alpha.astype(int) - frames[0][..., 3]).mean() < 4


def test_digits_grow_with_the_number_of_frames(tmp_path):
    blank = np.zeros((2, 2, 3), dtype=np.uint8)
    path = write_movie([blank] * 1001, tmp_path / "many")
    assert listing(path)[0] == "frame-0000.png" and listing(path)[-1] == "frame-1000.png"


def test_pattern_names_the_files(frames, tmp_path):
    path = write_movie(frames, tmp_path / "pictures", pattern="wave_{index}_a.png")
    assert listing(path)[-1] == "wave_011_a.png"


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", ".mp4", ".gif", ".webm"])
def test_the_same_frames_give_the_same_bytes(frames, tmp_path, ending):
    paths = [write_movie(frames, tmp_path / f"{k}{ending}") for k in range(2)]
    contents = [(p / "frame-003.png" if p.is_dir() else p).read_bytes() for p in paths]
    assert contents[0] == contents[1]


def test_any_iterable_of_pictures_will_do_also_one_that_uses_its_buffer_again(tmp_path):
    def pictures():
        buffer = np.empty((32, 32, 3), dtype=np.uint8)
        for k in range(30):
            buffer[...] = 8 * k
            yield buffer

    path = write_movie(pictures(), tmp_path / "grey")
    shown = [np.asarray(Image.open(p))[0, 0, 0] for p in sorted(path.iterdir())]
    assert shown == [8 * k for k in range(30)]
    _, found = decoded(write_movie(pictures(), tmp_path / "grey.mp4"))
    assert np.abs(found[:, 16, 16, 0].astype(int) - shown).max() <= 3


def test_one_frame_is_a_movie_too(tmp_path):
    frames = render_frames(letter_cube(n_bins=1), size=SIZE)
    for ending in (".mp4", ".gif", ".webm"):
        assert write_movie(frames, tmp_path / f"one{ending}").stat().st_size > 0


def test_progress_is_told_after_each_frame(frames, tmp_path):
    told = []
    write_movie(frames, tmp_path / "wave.mp4", progress=lambda *values: told.append(values))
    assert told == [("writing wave.mp4", k + 1, 12) for k in range(12)]
    told.clear()
    write_movie(iter(frames), tmp_path / "wave", progress=lambda *values: told.append(values))
    assert told[-1] == ("writing wave", 12, 0)


# --- single pictures ------------------------------------------------------------------------------


def test_a_png_is_the_frame_of_the_movie(frames, tmp_path):
    path = write_frame(frames, tmp_path / "one.png", at=35.0, dpi=200)
    image = Image.open(path)
    assert np.array_equal(np.asarray(image), frames[3])
    assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


def test_an_svg_has_a_polygon_for_each_hexagon(tmp_path):
    frames = render_frames(letter_cube(n_bins=1), size=(600, 400), title="F", colorbar=False)
    path = write_frame(frames, tmp_path / "one.svg", dpi=200)
    text = path.read_text(encoding="utf-8")
    assert 'width="216pt" height="144pt"' in text
    assert "<image" not in text
    polygons = re.findall(r'<g id="PolyCollection_1">(.*?)</g>\s*</g>', text, re.DOTALL)
    assert len(re.findall("<path|<use", polygons[0])) >= 8
    assert "<dc:date>" not in text


def test_a_pdf_is_vectors_and_text(tmp_path):
    frames = render_frames(letter_cube(n_bins=1), size=(600, 400))
    path = write_frame(frames, tmp_path / "one.pdf")
    content = path.read_bytes()
    assert content.startswith(b"%PDF") and b"/MediaBox [ 0 0 432 288 ]" in content
    assert b"/FontFile2" in content and b"CreationDate" not in content


@pytest.mark.parametrize("ending", [".svg", ".pdf", ".png"])
def test_the_same_frame_gives_the_same_bytes(frames, tmp_path, ending):
    paths = [write_frame(frames, tmp_path / f"{k}{ending}", at=0) for k in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"background": "black", "strip": True, "marks": [(0, 30, "on")], "title": "t"},
        {"background": "transparent"},
        {"under": (np.zeros((4, 4)), (0, 900, 0, 900)), "opacity": 0.5},
        {"outlines": [[[0, 0], [300, 300]]], "timestamp": False},
    ],
)
def test_vector_pictures_show_all_parts(options, tmp_path):
    frames = render_frames(wave_cube(n_bins=4), **options)
    for ending in (".svg", ".pdf"):
        path = write_frame(frames, tmp_path / f"one{ending}", at=20)
        assert path.stat().st_size > 1000


def test_a_vector_picture_of_a_cube_without_values(tmp_path):
    frames = render_frames(letter_cube(n_bins=1, min_neurons=1000), size=(300, 200))
    assert write_frame(frames, tmp_path / "one.svg").stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("one.jpg", {"at": 0}, "the ending '.jpg' is not a picture format: use .png, .svg, .pdf"),
        ("one", {"at": 0}, "the ending '' is not a picture format"),
        ("one.png", {}, "there are 12 frames: choose one with a time in ms"),
        ("one.png", {"at": 500}, "no frame shows 500 ms: the nearest starts at 110 ms"),
        ("one.png", {"at": 0, "dpi": 0}, "dpi must be greater than 0"),
    ],
)
def test_pictures_that_cannot_be_written_are_refused(frames, tmp_path, name, options, message):
    with pytest.raises(ValueError) as caught:
        write_frame(frames, tmp_path / name, **options)
    assert message in str(caught.value)
    assert listing(tmp_path) == []


def test_a_picture_that_is_there_is_kept(frames, tmp_path):
    (tmp_path / "one.png").write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        write_frame(frames, tmp_path / "one.png", at=0)
    assert (tmp_path / "one.png").read_text() == "mine"
    write_frame(frames, tmp_path / "one.png", at=0, overwrite=True)
    assert Image.open(tmp_path / "one.png").size == SIZE


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "a.avi",
            {},
            "the ending '.avi' is not a movie format: use .mp4, .webm, .gif, or / at the end",
        ),
        ("a.png", {}, "a single picture is written by write_frame"),
        ("a.mp4", {"fps": 0}, "fps must be greater than 0 and at most 240, not 0"),
        ("a.mp4", {"fps": float("nan")}, "fps must be greater than 0"),
        ("a.mp4", {"fps": 1000}, "at most 240, not 1000"),
        ("a.gif", {"fps": 60}, "a GIF has at most 50 frames per second, not 60"),
        ("a/", {"pattern": "frame.png"}, "pattern 'frame.png' is not a file name with {index}"),
        ("a/", {"pattern": "{index}.jpg"}, "pattern '{index}.jpg' is not a file name"),
        ("a/", {"pattern": "../{index}.png"}, "is not a file name with {index}"),
    ],
)
def test_movies_that_cannot_be_written_are_refused(frames, tmp_path, name, options, message):
    with pytest.raises(ValueError) as caught:
        write_movie(frames, f"{tmp_path}/{name}", **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert listing(tmp_path) == []


@pytest.mark.parametrize(
    ("size", "even"),
    [((161, 120), "162 x 120"), ((160, 121), "160 x 122"), ((161, 121), "162 x 122")],
)
@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_odd_sizes_are_refused_with_the_nearest_even_one(tmp_path, size, even, ending):
    frames = render_frames(letter_cube(), size=size)
    with pytest.raises(ValueError, match=f"are even, not {size[0]} x {size[1]} px: use {even}"):
        write_movie(frames, tmp_path / f"a{ending}")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["a.gif", "a"])
def test_odd_sizes_are_fine_where_the_kind_takes_them(tmp_path, name):
    frames = render_frames(letter_cube(), size=(161, 121))
    path = write_movie(frames, tmp_path / name)
    assert Image.open(path if path.is_file() else path / "frame-000.png").size == (161, 121)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_transparency_is_refused_where_there_is_none(tmp_path, name):
    frames = render_frames(letter_cube(), size=SIZE, background="transparent")
    with pytest.raises(ValueError, match="has no transparency: use a white or black background"):
        write_movie(frames, tmp_path / name)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webm", "a"])
def test_no_frames_are_no_movie(tmp_path, name):
    with pytest.raises(ValueError, match="there are no frames to write"):
        write_movie([], tmp_path / name)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((16, 18, 3), dtype=np.uint8), r"frame 1 is \(16, 18, 3\) and the first one"),
        (np.zeros((16, 16, 3)), "frame 1 must be .height, width, 3 or 4. uint8"),
        (np.zeros((16, 16), dtype=np.uint8), "frame 1 must be"),
        ("frame", "frame 1 must be"),
    ],
)
def test_frames_that_are_not_alike_are_refused(tmp_path, name, wrong, message):
    with pytest.raises(ValueError, match=message):
        write_movie([np.zeros((16, 16, 3), dtype=np.uint8), wrong], tmp_path / name)
    assert listing(tmp_path) == []


# --- what is there already ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webm"])
def test_a_file_that_is_there_is_kept(frames, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match="exists: choose another name or allow overwriting"):
        write_movie(frames, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine" and listing(tmp_path) == [name]
    write_movie(frames, tmp_path / name, overwrite=True)
    assert (tmp_path / name).stat().st_size > 100 and listing(tmp_path) == [name]


def test_a_folder_of_frames_that_is_there_is_kept_or_replaced_as_a_whole(frames, tmp_path):
    path = write_movie(frames, tmp_path / "a")
    short = render_frames(wave_cube(n_bins=2), size=SIZE)
    with pytest.raises(FileExistsError, match="exists: choose another name or allow overwriting"):
        write_movie(short, path)
    assert len(listing(path)) == 12
    write_movie(short, path, overwrite=True)
    assert listing(path) == ["frame-000.png", "frame-001.png"]
    assert listing(tmp_path) == ["a", "a/frame-000.png", "a/frame-001.png"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "frame-000.txt", "frame-.png", "frame-1x.png"])
def test_a_folder_with_other_files_is_never_touched(frames, tmp_path, name, overwrite):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / name).write_text("mine")
    (folder / "frame-000.png").write_text("mine too")
    with pytest.raises(FileExistsError, match=f"holds other files too .'{re.escape(name)}'."):
        write_movie(frames, folder, overwrite=overwrite)
    assert listing(folder) == sorted([name, "frame-000.png"])


def test_an_empty_folder_is_filled(frames, tmp_path):
    (tmp_path / "a").mkdir()
    assert len(listing(write_movie(frames, tmp_path / "a"))) == 12


def test_a_folder_cannot_take_the_place_of_a_file(frames, tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(FileExistsError, match="is a file: choose another name for the folder"):
        write_movie(frames, tmp_path / "a", overwrite=True)
    assert (tmp_path / "a").read_text() == "mine"


@pytest.mark.parametrize("name", ["no/a.mp4", "no/a.gif", "no/a"])
def test_a_missing_folder_is_told(frames, tmp_path, name):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        write_movie(frames, tmp_path / name)


# --- ended early ----------------------------------------------------------------------------------

KINDS = ["a.mp4", "a.gif", "a.webm", "a"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_progress_that_raises_ends_the_work_and_leaves_nothing(frames, tmp_path, name, error):
    def stop(what, done, total):
        if done == 5:
            raise error

    with pytest.raises(error):
        write_movie(frames, tmp_path / name, progress=stop)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", KINDS)
def test_frames_that_raise_leave_nothing_and_keep_what_was_there(tmp_path, name):
    def broken():
        for _ in range(5):
            yield np.zeros((16, 16, 3), dtype=np.uint8)
        raise OSError("the cube's disk went away")

    target = tmp_path / name
    write_movie([np.zeros((16, 16, 3), dtype=np.uint8)], target)
    before = listing(tmp_path)
    with pytest.raises(OSError, match="the cube's disk went away"):
        write_movie(broken(), target, overwrite=True)
    assert listing(tmp_path) == before


def run_python(code, folder, **options):
    """Run code with `frames`, endless pictures that do not compress, and `folder`."""
    head = f"""
        import sys
        sys.path[:0] = [{str(ROOT / "src")!r}, {str(ROOT / "tests")!r}]
        import itertools, numpy as np, pathlib
        from napari_hexrecruit.render.movie import write_movie
        folder = pathlib.Path({str(folder)!r})
        noise = np.random.default_rng(0).integers(0, 256, (40, 96, 96, 3), dtype=np.uint8)
        frames = itertools.cycle(noise)
    """
    text = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", KINDS)
def test_ctrl_c_leaves_nothing(tmp_path, name):
    code = f"""
        def tell(what, done, total):
            if done == 10:
                print("going", flush=True)
        try:
            write_movie(frames, folder / {name!r}, progress=tell)
        except KeyboardInterrupt:
            sys.exit(130)
    """
    process = run_python(code, tmp_path, start_new_session=True)
    assert process.stdout.readline() == "going\n"
    assert listing(tmp_path) != []
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: ffmpeg gets it too
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert listing(tmp_path) == []


FULL = """
    import errno
    try:
        write_movie(itertools.islice(frames, 400), folder / {name!r})
    except OSError as error:
        print(error.errno in (errno.ENOSPC, errno.EFBIG), error.filename or "", error)
    else:
        print("written")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webm"])
def test_a_file_that_may_not_grow_is_told_and_removed(tmp_path, name):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    process = run_python(limit + textwrap.dedent(FULL.format(name=name)), tmp_path)
    answer, said = process.communicate(timeout=120)
    assert answer.startswith("True"), answer + said
    assert name in answer and listing(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or subprocess.run(command).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_full_disk_is_told_and_left_clean(small_disk, name):
    process = run_python(FULL.format(name=name), small_disk)
    answer, said = process.communicate(timeout=120)
    assert answer.startswith("True"), answer + said
    assert os.strerror(errno.ENOSPC) in answer
    assert listing(small_disk) == []


def a_program(folder, text):
    """An executable file."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name != "posix", reason="a shell script as ffmpeg")
@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("exit 3", "OSError", "ffmpeg could not write it: it ended with status 3"),
        (
            "echo 'Cannot do this' >&2; exit 1",
            "OSError",
            "ffmpeg could not write it: Cannot do this",
        ),
        ("head -c 100000 >/dev/null; exit 1", "OSError", "it ended with status 1"),
        ("cat >/dev/null; exit 1", "OSError", "it ended with status 1"),
        (
            "echo \"Unknown encoder 'libx264'\" >&2; exit 1",
            "MissingExtraError",
            "pip install imageio-ffmpeg, which brings one that can",
        ),
    ],
)
def test_an_ffmpeg_that_fails_is_told(tmp_path, text, kind, message):
    out = tmp_path / "out"
    out.mkdir()
    code = """
        try:
            write_movie(itertools.islice(frames, 50), folder / "a.mp4")
        except Exception as error:
            print(type(error).__name__, error)
    """
    environment = os.environ | {"IMAGEIO_FFMPEG_EXE": str(a_program(tmp_path, text))}
    answer, said = run_python(code, out, env=environment).communicate(timeout=60)
    assert answer.startswith(kind) and message in answer, answer + said
    assert listing(out) == []


@pytest.mark.parametrize("broken", ["sys.modules['imageio_ffmpeg'] = None", "ENVIRONMENT"])
def test_a_missing_encoder_is_told_with_the_remedy(tmp_path, broken):
    code = """
        try:
            write_movie(itertools.islice(frames, 5), folder / "a.mp4")
        except ImportError as error:
            print(type(error).__name__, error)
    """
    environment = dict(os.environ)
    if broken == "ENVIRONMENT":
        environment["IMAGEIO_FFMPEG_EXE"] = str(tmp_path / "none")
        broken = ""
    text = broken + "\n" + textwrap.dedent(code)
    answer, said = run_python(text, tmp_path, env=environment).communicate(timeout=60)
    assert answer.startswith("MissingExtraError"), answer + said
    assert "pip install imageio-ffmpeg, or write a folder of PNG files" in answer
    assert issubclass(MissingExtraError, ImportError) and listing(tmp_path) == []


def test_no_process_is_left_behind(frames, tmp_path):
    def stop(what, done, total):
        if done == 3:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_movie(frames, tmp_path / "a.mp4", progress=stop)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("there is no list of child processes here")

    def is_ffmpeg(child):
        try:
            return "ffmpeg" in Path(f"/proc/{child}/comm").read_text()
        except OSError:  # it has just ended
            return False

    wait_until(lambda: not any(map(is_ffmpeg, children.read_text().split())))
