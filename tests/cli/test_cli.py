"""The command as a user gives it: a process, its output, its exit status, its files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest
import voxcell
import yaml
from PIL import Image
from tests.support.commands import hexrecruit, hexrecruit_anew
from tests.support.sonata_files import IDS_THAT_THE_POPULATION_LACKS, simple_files
from tests.support.waiting import PATIENCE_S

from napari_hexrecruit import read_cube, recruitment_cube, write_cube

pytestmark = IDS_THAT_THE_POPULATION_LACKS


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return simple_files(n_strays=10).write(tmp_path_factory.mktemp("simulation"))


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_an_answer_that_cannot_be_written_is_no_success(config):
    words = [sys.executable, "-m", "napari_hexrecruit", "info", config]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left on device" in done.stderr


@pytest.mark.slow
def test_who_reads_no_further_is_not_told(config):
    words = [sys.executable, "-m", "napari_hexrecruit", "info", config]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_names_the_commands(words):
    done = hexrecruit_anew(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: hexrecruit [OPTIONS] COMMAND")
    for command in ("info", "cube", "movie", "html", "view", "demo"):
        assert command in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]  # no description is cut


def unwarned(done):
    """Standard error without the warning of 3 % unknown ids, which stands there once."""
    warned, others = [], []
    for line in done.stderr.splitlines(keepends=True):
        (warned if line.startswith("warning: ") else others).append(line)
    assert ["have ids that the population lacks" in line for line in warned] == [True]
    return "".join(others)


def test_version():
    from napari_hexrecruit import __version__

    assert hexrecruit_anew("--version").stdout.strip() == f"hexrecruit {__version__}"


@pytest.mark.slow
def test_cube_equals_python(config, tmp_path):
    out = tmp_path / "out.hexrecruit.nc"
    done = hexrecruit_anew(
        *("cube", config, "-o", out, "--where", "layer=2,3", "--where", "synapse_class=EXC"),
        *("--radius", 40, "--bin", 5, "--start", 20, "--stop", 60, "--min-neurons", 2),
        *("--flat", "x", "z", "--node-set", "everyone", "--population", "cortex"),
    )
    assert done.returncode == 0
    assert unwarned(done) == ""
    assert "8 bins of 5 ms" in done.stdout
    same = recruitment_cube(
        config,
        where=["layer=2,3", "synapse_class=EXC"],
        radius=40,
        bin_ms=5,
        start=20,
        stop=60,
        min_neurons=2,
        flat=("x", "z"),
        node_set="everyone",
        population="cortex",
    )
    assert read_cube(out).identical(same)


def test_info_as_text_and_json(config):
    text = hexrecruit("info", config)
    assert text.returncode == 0
    for said in ("300 neurons", "everyone", "EXC (", "2,500 spikes", "0 to 100 ms"):
        assert said in text.stdout
    found = json.loads(hexrecruit("info", config, "--json").stdout)
    (population,) = found["populations"]
    assert population["n_neurons"] == 300
    assert population["flat"] == [["ss_flat_x", "ss_flat_y"]]
    assert sum(population["columns"]["layer"]["values"].values()) == 300
    assert population["columns"]["ss_flat_x"]["n_not_finite"] > 0
    assert found["spikes"][0]["n_spikes"] == 2500


def test_info_where_the_spikes_are_not_there_yet(tmp_path):
    files = simple_files()
    files.with_spikes_file = False
    done = hexrecruit("info", files.write(tmp_path))
    assert done.returncode == 0
    assert "the file does not exist" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("cube", "SIM"), "Missing option"),
        (("cube", "SIM", "-o", "OUT", "--bin", "ten"), "'--bin'"),
        (("cube", "SIM", "-o", "OUT", "--bin", "0"), "bin width must be a number greater than 0"),
        (
            ("cube", "SIM", "-o", "OUT", "--bin", "7", "--stop", "95"),
            "use 0 to 91 ms or 0 to 98 ms",
        ),
        (("cube", "SIM", "-o", "OUT", "--where", "layer=9"), "there are: 1, 2, 3, 4, 5, 6"),
        (("cube", "SIM", "-o", "OUT", "--node-set", "nix"), "there are: everyone"),
        (("cube", "SIM", "-o", "OUT", "--radius", "nan"), "radius must be"),
        (("cube", "SIM", "-o", "out.nc"), "ends in .hexrecruit.nc"),
        (("cube", "SIM", "-o", "missing/out.hexrecruit.nc"), "no such folder"),
        (("cube", "nix.json", "-o", "OUT"), "nix.json: does not exist"),
        (("cube", ".", "-o", "OUT"), "is a folder"),
        (("info", "not.json"), "not.json: is not JSON"),
        (("info", "other.json"), "other.json: there is no section 'run'"),
        (("nix",), "No such command"),
        (("view", "nix.json"), "nix.json: does not exist"),
    ],
)
def test_mistakes_are_one_line_and_status_2(config, tmp_path, args, said):
    (tmp_path / "not.json").write_text("{")
    (tmp_path / "other.json").write_text("{}")
    before = sorted(os.listdir(tmp_path))
    places = {"SIM": config, "OUT": "out.hexrecruit.nc"}
    done = hexrecruit(*[places.get(arg, arg) for arg in args], cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("hexrecruit: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.slow
def test_debug_shows_the_traceback(tmp_path):
    done = hexrecruit_anew("info", tmp_path / "nix.json", "--debug")
    assert "Traceback" in done.stderr
    assert "SimulationDataError" in done.stderr


@pytest.mark.slow
def test_missing_files_are_named_without_diagnostics_of_hdf5(tmp_path):
    files = simple_files()
    config = files.write(tmp_path)
    out = tmp_path / "out.hexrecruit.nc"
    (tmp_path / "output" / "spikes.h5").unlink()
    done = hexrecruit_anew("cube", config, "-o", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "spikes.h5: the spikes file does not exist" in done.stderr
    (tmp_path / "nodes.h5").unlink()
    done = hexrecruit_anew("cube", config, "-o", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "nodes.h5: the nodes file of population 'cortex' does not exist" in done.stderr


def test_an_existing_output_is_kept_unless_overwriting_is_asked_for(config, tmp_path):
    out = tmp_path / "out.hexrecruit.nc"
    out.write_text("precious")
    done = hexrecruit("cube", config, "-o", out)
    assert done.returncode == 2
    assert "exists" in done.stderr
    assert out.read_text() == "precious"
    assert hexrecruit("cube", config, "-o", out, "--overwrite").returncode == 0
    assert read_cube(out).sizes["time"] == 10


@pytest.mark.slow
def test_a_run_file_is_written_once_and_then_gives_the_options(config, tmp_path):
    run_file, first, second = (
        tmp_path / n for n in ("run.yaml", "a.hexrecruit.nc", "b.hexrecruit.nc")
    )
    options = ("--where", "synapse_class=INH", "--radius", "30", "--flat", "x", "z")
    done = hexrecruit("cube", config, "-o", first, *options, "--run-file", run_file)
    assert done.returncode == 0, done.stderr
    assert "wrote the options" in done.stdout
    content = yaml.safe_load(run_file.read_text())
    assert (content["command"], content["radius"]) == ("cube", 30.0)
    assert not {"sim", "output", "overwrite"} & set(content)
    done = hexrecruit("cube", config, "-o", second, "--run-file", run_file, "--bin", "20")
    assert done.returncode == 0, done.stderr
    same = recruitment_cube(
        config, where="synapse_class=INH", radius=30, flat=("x", "z"), bin_ms=20
    )
    assert read_cube(second).identical(same)
    assert yaml.safe_load(run_file.read_text()) == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("command: movie\n", "is not a run file of 'hexrecruit cube'"),
        ("[1, 2]", "is not a run file of 'hexrecruit cube'"),
        ("command: cube\nradios: 3\n", "there is no option 'radios'"),
        ("command: cube\nradius: wide\n", "radius"),
        ("a: [", "is not YAML"),
        ("command: !!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_bad_run_files_are_one_line(config, tmp_path, content, said):
    (tmp_path / "run.yaml").write_text(content)
    done = hexrecruit(
        "cube", config, "-o", "o.hexrecruit.nc", "--run-file", "run.yaml", cwd=tmp_path
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert os.listdir(tmp_path) == ["run.yaml"]


def test_without_a_screen_the_viewer_says_so(config):
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = hexrecruit("view", config, env=env)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no screen here" in done.stderr


# The command, which says what it does and goes on when that has been read.
SAYING = """
import sys, tqdm

class Saying(tqdm.tqdm):
    def __init__(self, *args, desc, **options):
        super().__init__(*args, desc=desc, **options)
        print(desc, flush=True)
        sys.stdin.readline()

tqdm.tqdm = Saying
from napari_hexrecruit.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child process")
@pytest.mark.parametrize("work", ["reading neurons", "spikes"])
def test_an_interrupt_is_status_130_and_leaves_nothing(config, tmp_path, work):
    words = [sys.executable, "-c", SAYING, "cube", config, "-o", tmp_path / "a.hexrecruit.nc"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(words, **pipes, text=True) as process:
        while (said := process.stdout.readline().strip()) != work:
            assert said, process.stderr.read()
            process.stdin.write("\n")
            process.stdin.flush()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    *warned, last = errors.splitlines()
    assert process.returncode == 130, errors
    assert last.startswith("hexrecruit: interrupted"), errors
    assert all(line.startswith("warning: ") for line in warned), errors
    assert os.listdir(tmp_path) == []


@pytest.fixture(scope="module")
def cube_file(config, tmp_path_factory):
    return write_cube(recruitment_cube(config), tmp_path_factory.mktemp("cube") / "a.hexrecruit.nc")


@pytest.mark.slow
def test_movie_of_a_cube(cube_file, tmp_path):
    out = tmp_path / "out.mp4"
    options = ("--start", 20, "--stop", 80, "--fps", 10, "--size", 320, 240, "--clim", 0, 50)
    done = hexrecruit("movie", cube_file, "-o", out, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 frames of 320 x 240 px, 10 per second" in done.stdout
    assert iio.imread(out, index=None).shape == (6, 240, 320, 3)
    assert iio.immeta(out)["fps"] == pytest.approx(10)


@pytest.mark.slow
def test_movie_of_a_simulation_is_that_of_its_cube(config, cube_file, tmp_path):
    options = ("--step", 20, "--size", 320, 240, "--colormap", "magma")
    for source, name in ((config, "one"), (cube_file, "two")):
        done = hexrecruit("movie", source, "-o", f"{tmp_path / name}/", *options)
        assert done.returncode == 0, done.stderr
    frames = sorted(os.listdir(tmp_path / "one"))
    assert frames == [f"frame-{k:03}.png" for k in range(5)]
    for frame in frames:
        assert (tmp_path / "one" / frame).read_bytes() == (tmp_path / "two" / frame).read_bytes()


@pytest.mark.slow
def test_movie_of_two_cubes_with_every_overlay(config, cube_file, tmp_path):
    out = tmp_path / "out.gif"
    done = hexrecruit(
        *("movie", config, cube_file, "-o", out, "--where", "synapse_class=INH"),
        *("--mark", "20:40:touch", "--stimuli", "--strip", "--scale-bar", "--title", "Both"),
        *("--panel-title", "INH", "--panel-title", "all", "--dilation", 5, "--average", 3),
        *("--size", 400, 300, "--background", "black", "--metric", "rate"),
    )
    assert done.returncode == 2
    assert "--where applies only to simulations" in done.stderr
    done = hexrecruit(
        *("movie", cube_file, cube_file, "-o", out, "--mark", "20:40:touch", "--stimuli"),
        *("--strip", "--scale-bar", "--title", "Both", "--panel-title", "one"),
        *("--panel-title", "two", "--dilation", 5, "--average", 3, "--size", 400, 300),
        *("--background", "black", "--metric", "rate"),
    )
    assert done.returncode == 0, done.stderr
    assert iio.imread(out, index=None).shape[:3] == (10, 300, 400)


@pytest.mark.slow
def test_a_movie_again_from_its_run_file(cube_file, tmp_path):
    run_file = tmp_path / "run.yaml"
    options = ("--size", 200, 150, "--clim", 0, 20, "--mark", "20:40:touch", "--fps", 5)
    for name in ("one", "two"):
        done = hexrecruit(
            "movie", cube_file, "-o", f"{tmp_path / name}/", *options, "--run-file", run_file
        )
        assert done.returncode == 0, done.stderr
        options = ()
    assert yaml.safe_load(run_file.read_text())["clim"] == [0.0, 20.0]
    for frame in os.listdir(tmp_path / "one"):
        assert (tmp_path / "one" / frame).read_bytes() == (tmp_path / "two" / frame).read_bytes()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-o", "out.avi"), "use .mp4, .webm, .gif"),
        (("-o", "out.mp4", "--size", "321", "240"), "use 322 x 240"),
        (("-o", "out.mp4", "--start", "15"), "15"),
        (("-o", "out.mp4", "--fps", "0"), "fps must be greater than 0"),
        (("-o", "out.mp4", "--fps", "5", "--dilation", "5"), "give one of them"),
        (("-o", "out.mp4", "--colormap", "viridsi"), "viridis"),
        (("-o", "out.mp4", "--metric", "rates"), "rate"),
        (("-o", "out.mp4", "--mark", "one"), "START:STOP:LABEL"),
        (("-o", "out.mp4", "--background", "pink"), "white"),
        (("-o", "missing/out.mp4"), "no such folder"),
        (("-o", "out.png"), "choose one with a time in ms"),
        (("-o", "out.svg", "--at", "1000"), "out.svg: no frame shows 1000 ms"),
        (("-o", "out.pdf", "--at", "20", "--dpi", "0"), "dpi must be greater than 0"),
    ],
)
def test_mistakes_about_movies_are_one_line_and_status_2(cube_file, tmp_path, args, said):
    done = hexrecruit("movie", cube_file, *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hexrecruit: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_demo_writes_everything_and_keeps_what_is_there(tmp_path):
    folder = tmp_path / "demo"
    done = hexrecruit("demo", folder, "--no-view")
    assert (done.returncode, done.stderr) == (0, "")
    written = [folder / "demo.hexrecruit.nc", folder / "demo.mp4"]
    assert read_cube(written[0])["recruitment"].max() > 30
    assert len(iio.imread(written[1], index=None)) == 100
    times = [path.stat().st_mtime_ns for path in written]
    again = hexrecruit("demo", folder, "--no-view")
    assert again.stdout.count("(kept)") == 3
    assert [path.stat().st_mtime_ns for path in written] == times


@pytest.mark.slow
def test_movie_of_the_neurons_recruited_so_far(config, cube_file, tmp_path):
    options = ("--cumulative", "--size", 200, 150)
    done = hexrecruit("movie", cube_file, "-o", tmp_path / "a.gif", *options)
    assert done.returncode == 2
    assert "--cumulative applies only to simulations" in done.stderr
    done = hexrecruit("movie", config, "-o", tmp_path / "b.gif", *options)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_one_picture_for_print(cube_file, tmp_path, name, start):
    options = ("--at", 35, "--size", 200, 150, "--dpi", 200)
    done = hexrecruit("movie", cube_file, "-o", tmp_path / name, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(start)
    again = hexrecruit("movie", cube_file, "-o", tmp_path / name, *options)
    assert again.returncode == 2
    assert "exists: choose another name" in again.stderr


@pytest.mark.slow
def test_an_image_under_and_regions_over_the_hexagons(config, tmp_path):
    Image.fromarray(np.full((40, 60), 200, np.uint8)).save(tmp_path / "map.png")
    options = ("--at", 35, "--size", 300, 200, "--opacity", 0.5)
    plain = hexrecruit("movie", config, "-o", tmp_path / "plain.png", *options)
    assert plain.returncode == 0, plain.stderr
    under = ("--under", tmp_path / "map.png")
    done = hexrecruit("movie", config, "-o", tmp_path / "a.png", *options, *under)
    assert (done.returncode, unwarned(done).count("\n")) == (2, 1)
    assert "give --under-pixel-size" in done.stderr
    place = ("--under-pixel-size", 10, "--under-origin", -300, -200, "--regions", "mtype")
    done = hexrecruit("movie", config, "-o", tmp_path / "a.png", *options, *under, *place)
    assert (done.returncode, unwarned(done)) == (0, "")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "plain.png").read_bytes()
    done = hexrecruit("movie", config, "-o", tmp_path / "b.png", *options, "--regions", "nix")
    assert (done.returncode, unwarned(done).count("\n")) == (2, 1)
    assert "has no property 'nix'; there are:" in done.stderr


@pytest.mark.slow
def test_flat_positions_from_a_flatmap_and_columns_from_an_atlas(config, tmp_path):
    voxels = np.stack(np.meshgrid(*[np.arange(10)] * 3, indexing="ij"), axis=-1)
    flatmap, columns = tmp_path / "flatmap.nrrd", tmp_path / "columns.nrrd"
    centres = 100.0 * voxels[..., [0, 2]] + 50.0
    voxcell.VoxelData(centres, (100.0,) * 3).save_nrrd(str(flatmap))
    ids = 1 + voxels[..., 0] // 5 + 2 * (voxels[..., 2] // 5)
    voxcell.VoxelData(ids, (100.0,) * 3).save_nrrd(str(columns))
    out = tmp_path / "a.hexrecruit.nc"
    done = hexrecruit("cube", config, "-o", out, "--flatmap", flatmap, "--radius", 400)
    assert done.returncode == 0, done.stderr
    assert read_cube(out).identical(recruitment_cube(config, flat=flatmap, radius=400))
    options = ("--flatmap", flatmap, "--column-atlas", columns, "--overwrite")
    done = hexrecruit("cube", config, "-o", out, *options)
    assert done.returncode == 0, done.stderr
    assert set(read_cube(out)["hex"].to_numpy()) == {"1", "2", "3", "4"}
    done = hexrecruit("cube", config, "-o", out, *options, "--flat", "x", "z")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "give one of them" in done.stderr
