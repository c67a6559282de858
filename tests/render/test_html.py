"""The web page as a file: what is in it, what is refused, and that it is whole or absent."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.support.commands import hexrecruit
from tests.support.cubes import cube_of, letter_cube, sheet_cube, wave_cube
from tests.support.sonata_files import IDS_THAT_THE_POPULATION_LACKS, simple_files

from napari_hexrecruit import (
    compare,
    cut_trials,
    read_cube,
    trial_mean,
    write_cube,
    write_html,
)
from napari_hexrecruit.render.web.page import in_script
from napari_hexrecruit.render.web.writer import html_page

pytestmark = IDS_THAT_THE_POPULATION_LACKS
EVIL = "</script><img src=x onerror=alert(1)>"


def content_of(text):
    (found,) = re.findall(r'<script type="application/json" id="content">(.*?)</script>', text)
    return json.loads(found)


def codes_of(text, panel=0, variable=0):
    """All codes of a variable, (n_bins, n_hexes)."""
    described = content_of(text)["panels"][panel]
    n_bytes = described["variables"][variable]["bits"] // 8
    packed = re.findall(rf'id="values-{panel}-{variable}-\d+">(.*?)</script>', text)
    parts = []
    for one in packed:
        planes = np.frombuffer(zlib.decompress(base64.b64decode(one)), np.uint8)
        parts.append(planes.reshape(n_bytes, -1).T.copy().view(f"<u{n_bytes}").ravel())
    return np.concatenate(parts).reshape(-1, len(described["hex"])).astype(np.int64)


def page(*args, **options):
    return "".join(html_page(*args, **options))


@pytest.mark.parametrize("most", [200, 300, 70_000])
def test_counts_are_exact_and_no_value_has_its_own_code(most):
    counts = np.array([[0, 1, 0], [most, 2, 0], [0, 0, 0]])
    cube = cube_of(counts, row=[0, 0, 0], col=[0, 1, 2], n_neurons=[most, 5, 0])
    text = page(cube)
    expected = counts + 1
    expected[:, 2] = 0  # no neurons: no percentage
    assert codes_of(text).tolist() == expected.tolist()
    assert content_of(text)["panels"][0]["neurons"] == [most, 5, 0]


def test_blocks_hold_all_bins():
    cube = sheet_cube(n_hexes=3000, n_bins=400)
    text = page(cube)
    assert len(re.findall(r'id="values-0-0-\d+"', text)) > 1
    assert (codes_of(text) == cube["n_recruited"].values + 1).all()


def test_window_and_step_choose_bins():
    cube = wave_cube(n_bins=20)
    text = page(cube, start=20.0, stop=120.0, step=20.0)
    assert (codes_of(text) == cube["n_recruited"].values[2:12:2] + 1).all()
    time = content_of(text)["time"]
    assert (time["start"], time["step"], time["bin"], time["n"]) == (20.0, 20.0, 10.0, 5)


@pytest.mark.parametrize("bits", [8, 16])
def test_codes_keep_their_step(bits):
    cube = sheet_cube(n_hexes=50, n_bins=30)
    text = page(cube, bits=bits)
    variable = content_of(text)["panels"][0]["variables"][0]
    assert (variable["kind"], variable["bits"]) == ("steps", bits)
    values = variable["low"] + variable["step"] * (codes_of(text) - 1)
    assert np.abs(values - cube["recruitment"].values).max() <= variable["step"] * 0.51


def test_percentages_that_the_counts_do_not_give_are_coded():
    cube = wave_cube(n_bins=3)
    other = cube.assign(recruitment=cube["recruitment"] * np.float32(0.5))
    assert content_of(page(cube))["panels"][0]["variables"][0]["kind"] == "counts"
    kinds = [one["kind"] for one in content_of(page(other))["panels"][0]["variables"]]
    assert kinds[0] == "steps"


def test_infinity_and_no_value_of_an_analysis_are_no_numbers():
    cube = wave_cube(n_rows=1, n_cols=4, n_bins=2)
    for values, codes in (
        ([1.0, np.inf, np.nan, 3.0], [1, 2**16 - 1, 0, 2**16 - 3]),
        ([-np.inf, np.inf, -2.0, 2.0], [2**16 - 2, 2**16 - 1, 1, 2**16 - 3]),
    ):
        ratio = ("hex", np.array(values, np.float32))
        made = compare(cube, cube).assign(log2_ratio=ratio)
        assert codes_of(page(made, metric="log2_ratio"))[0].tolist() == codes


def test_means_that_would_mislead_are_not_offered():
    cube = wave_cube(n_rows=1, n_cols=4, n_bins=2)
    result = compare(cube, cube).assign(wave=(("time", "hex"), np.ones((2, 4), np.int32)))
    metrics = ["recruitment", "difference", "ratio", "log2_ratio", "wave"]
    content = content_of(page(result, metric=metrics))
    offered = {metric["name"]: metric["mean"] for metric in content["metrics"]}
    assert [offered[name] for name in metrics] == [True, False, False, False, False]
    population = dict(zip(offered, content["panels"][0]["population"], strict=True))
    assert population["difference"] == [0.0, 0.0] and population["wave"] == [None, None]


def test_several_metrics_share_what_they_can():
    text = page(wave_cube(), metric=["recruitment", "rate"])
    content = content_of(text)
    assert [metric["name"] for metric in content["metrics"]] == [
        *("recruitment", "rate", "n_recruited"),
    ]
    assert content["panels"][0]["variableOf"] == [0, 1, 0]


def test_a_difference_has_its_own_colours():
    a, b = wave_cube(), wave_cube()
    found = compare(a, b)
    metric = content_of(page(found, metric="difference"))["metrics"][0]
    assert (metric["colormap"], metric["diverging"]) == ("RdBu_r", True)


def test_texts_cannot_end_the_page():
    cube = letter_cube()
    cube.attrs |= {"population": EVIL, "title": EVIL, "notes": json.dumps([EVIL])}
    text = page(cube, title=EVIL, panel_titles=[EVIL], marks=[(0, 10, EVIL)], labels=[(0, 0, EVIL)])
    assert "<img" not in text
    content = content_of(text)
    assert content["title"] == EVIL
    assert ["Population", EVIL] in content["panels"][0]["about"]
    assert json.loads(in_script({"a": "<!--\u2028"})) == {"a": "<!--\u2028"}


def test_what_a_cube_does_not_record_is_not_invented():
    rows = dict(content_of(page(letter_cube()))["panels"][0]["about"])
    assert {rows[name] for name in ("Node set", "Filter", "Flat position")} == {"not recorded"}


def test_texts_that_are_no_unicode_are_written(tmp_path):
    cube = letter_cube()
    cube.attrs["population"] = "a\udcff\x00b"
    text = write_html(cube, tmp_path / "a.html", title="a\udcff\x00b").read_text("utf-8")
    assert "\x00" not in text
    assert content_of(text)["title"] == "a\ufffd\ufffdb"


def test_the_policy_lets_nothing_in():
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(letter_cube()))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert "unsafe" not in policy
    assert "*" not in policy


def test_equal_cubes_give_equal_bytes():
    assert page(wave_cube()) == page(wave_cube())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"start": 50.0, "stop": 50.0}, "is empty", id="empty window"),
        pytest.param({"metric": "recuitment"}, "did you mean", id="metric"),
        pytest.param({"metric": []}, "metric is empty", id="no metric"),
        pytest.param({"metric": "difference"}, "has no 'difference'", id="variable"),
        pytest.param({"bits": 12}, "8 or 16", id="bits"),
        pytest.param({"panel_titles": ["a", "b"]}, "2 titles for 1 cube", id="titles"),
        pytest.param({"clim": (5, 1)}, "low below high", id="clim"),
        pytest.param({"colormap": "virdis"}, "viridis", id="colormap"),
        pytest.param({"dilation": 0.0}, "dilation", id="dilation"),
        pytest.param({"marks": ["x"]}, "START:STOP", id="mark"),
        pytest.param({"labels": [(np.nan, 0.0, "a")]}, "finite x and y", id="label"),
        pytest.param({"outlines": [[1.0, 2.0, 3.0]]}, "an outline must be", id="outline"),
        pytest.param({"step": 7.0}, "whole number", id="step"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(options, said, tmp_path):
    with pytest.raises(ValueError, match=said) as caught:
        write_html(wave_cube(), tmp_path / "a.html", **options)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_names_are_checked_first(tmp_path):
    with pytest.raises(ValueError, match=r"end it in \.html"):
        write_html(wave_cube(), tmp_path / "a.mp4")
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        write_html(wave_cube(), tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "mine"
    write_html(wave_cube(), tmp_path / "a.html", overwrite=True)
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")


def test_a_page_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_hexrecruit.render.web.writer._LARGEST_BYTES", 2000)
    with pytest.raises(ValueError, match=r"MB are the most: show fewer bins .* bits=8"):
        write_html(sheet_cube(n_hexes=200), tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path):
    def stop(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_html(wave_cube(), tmp_path / "a.html", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_time_axes_must_be_equal():
    with pytest.raises(ValueError, match="time axes differ"):
        page([wave_cube(n_bins=3), wave_cube(n_bins=4)])


@pytest.mark.slow
def test_the_command_writes_what_python_writes(tmp_path):
    cube = wave_cube()
    write_cube(cube, tmp_path / "a.hexrecruit.nc")
    done = hexrecruit(
        *("html", tmp_path / "a.hexrecruit.nc", "-o", tmp_path / "a.html", "--clim", 0, 40),
        *("--mark", "20:40:tone", "--title", "One & two", "--run-file", tmp_path / "a.yaml"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "a web page of" in done.stdout
    written = (tmp_path / "a.html").read_text()
    assert written == page(cube, clim=(0, 40), marks=["20:40:tone"], title="One & two")
    again = hexrecruit(
        *("html", tmp_path / "a.hexrecruit.nc", "-o", tmp_path / "b.html"),
        *("--run-file", tmp_path / "a.yaml"),
    )
    assert (again.returncode, (tmp_path / "b.html").read_text()) == (0, written)


def test_the_command_takes_a_simulation_with_regions_and_refuses_in_one_line(tmp_path):
    config = simple_files().write(tmp_path / "run")
    out = tmp_path / "a.html"
    done = hexrecruit("html", config, "-o", out, "--regions", "layer", "--where", "layer=2,3")
    assert done.returncode == 0, done.stderr
    content = content_of(out.read_text())
    assert content["outlines"]
    assert {label["text"] for label in content["labels"]} <= {"2", "3"}
    assert ["Filter", "layer=2,3"] in content["panels"][0]["about"]
    done = hexrecruit("html", config, "-o", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "exists" in done.stderr


def test_a_cube_on_disk_gives_the_page_of_one_in_memory(tmp_path):
    cube = sheet_cube(n_hexes=40, n_bins=50)
    write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    there = read_cube(tmp_path / "a.hexrecruit.zarr")
    assert codes_of(page(there)).tolist() == codes_of(page(cube)).tolist()


def test_the_mean_of_trials_is_exact():
    trials = cut_trials(wave_cube(n_bins=40), [100.0, 220.0], before=50.0, after=100.0)
    mean = trial_mean(trials)
    text = page(mean)
    panel = content_of(text)["panels"][0]
    assert panel["variables"][0]["kind"] == "counts"
    assert panel["trials"] == 2
    counts = codes_of(text) - 1
    percent = (100 * counts / (np.array(panel["neurons"]) * 2)).astype(np.float32)
    assert (percent == mean["recruitment"].values).all()


def test_neurons_so_far_are_called_so():
    cube = wave_cube()
    cube.attrs["recipe"] = json.dumps({"cumulative": True})
    assert content_of(page(cube))["metrics"][0]["label"] == "Recruited so far"
    assert content_of(page(cube))["metrics"][0]["clim"] == [0, 100]


def test_an_image_under_the_hexagons_keeps_its_place():
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    under = content_of(page(wave_cube(), under=(image, (0, 300, 10, 210))))["under"]
    assert under["extent"] == [0, 300, 10, 210]
    assert under["kind"] in ("image/png", "image/jpeg")
    with Image.open(io.BytesIO(base64.b64decode(under["data"]))) as found:
        assert found.size == (30, 20)
