"""Titles and labels of any characters and any length: they stand as typed, whole and apart."""

from __future__ import annotations

import subprocess
import sys
import warnings
from io import BytesIO

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from tests.support.cubes import letter_cube, wave_cube
from tests.support.thorough import repetitions

from napari_hexrecruit import text as text_module
from napari_hexrecruit import write_cube, write_movie
from napari_hexrecruit.analysis import hex_traces, trace_figure
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.render.frames import render_frames
from napari_hexrecruit.render.picture import write_frame
from napari_hexrecruit.render.titles import fitted
from napari_hexrecruit.text import drawable, plain

NO_FORMULAS = ["$V_m$", "$", "$$", "a $x", r"\frac{1}{2}", r"$\notacommand$", "50 %% \\", "a_b^c{"]
NOTHING_HAS = "\U00016a40\U0001e900"
"""Mro and Adlam, which matplotlib's fonts lack."""


def pixels(**options):
    frames = render_frames(letter_cube(), size=(400, 260), **options)
    return frames[0]


@pytest.mark.slow
@pytest.mark.parametrize("text", NO_FORMULAS)
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_dollars_and_backslashes_are_letters_everywhere(text, kind, tmp_path):
    frames = render_frames(
        letter_cube(),
        size=(400, 300),
        title=text,
        colorbar_label=text,
        panel_titles=[text],
        marks=[(0, 100, text)],
        time_format=text.replace("{", "{{").replace("}", "}}"),
        strip=True,
    )
    assert write_frame(frames, tmp_path / f"a.{kind}", at=0.0).stat().st_size > 1000


def test_a_formula_is_as_wide_as_its_letters():
    """``$V_m$`` as a formula has two letters; as it is typed, five."""
    header = render_frames(letter_cube(), size=(400, 260), title="$V_m$").scene.layout.header
    rows = slice(header.top, header.bottom)

    def width(title):
        changed = (pixels(title=title)[rows] != pixels(title="")[rows]).any(axis=(0, 2))
        return int(np.ptp(np.flatnonzero(changed)))

    assert width("$V_m$") > 1.2 * width("$V_m") > 1.4 * width("V_m")


@pytest.mark.parametrize("text", [*NO_FORMULAS, "_hidden", "a\ud800b"])
def test_traces_of_any_names(text, tmp_path):
    cube = letter_cube()
    found = hex_traces(cube, [str(cube["hex"][0].item()), str(cube["hex"][1].item())])
    found = found.assign_coords(hex=[text, f"{text}2"])
    found["trace"].attrs["long_name"] = text
    figure = trace_figure(found)
    figure.savefig(BytesIO(), format="svg")
    names = [written.get_text() for written in figure.axes[0].get_legend().get_texts()]
    assert names[:2] == [plain(text), plain(f"{text}2")]
    assert figure.axes[0].get_ylabel().startswith(plain(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\udcffb", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\x00\x1bb", "a\ufffd\ufffdb"),
        ("a\tb", "a    b"),
        ("a\r\nb\u2028c\n", "a\nb\nc"),
        ("e\u0301", "\xe9"),
        (r"a\nb", r"a\nb"),
        ("", ""),
    ],
)
def test_what_cannot_be_drawn_is_replaced(text, shown):
    assert plain(text) == shown


@pytest.mark.slow
@settings(max_examples=repetitions(6, 15), deadline=None)
@given(text=st.text(st.characters(), max_size=12))
def test_any_text_can_be_drawn(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", RecruitmentWarning)
        frames = render_frames(
            letter_cube(), size=(160, 160), title=text, marks=[(0, 100, text)], colorbar_label=text
        )
        assert frames[0].shape == (160, 160, 3)


def test_one_sentence_for_all_characters_that_no_font_has(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frames = render_frames(
            wave_cube(), size=(200, 160), title=f"{NOTHING_HAS} 1", marks=[(0, 9, NOTHING_HAS[0])]
        )
        write_movie(frames, tmp_path / "a.gif")
    assert [w.category for w in caught] == [RecruitmentWarning]
    said = str(caught[0].message)
    assert all(character in said for character in NOTHING_HAS)
    assert "shows boxes instead" in said and "install a font" in said
    assert drawable(NOTHING_HAS).text == "\u25a1\u25a1"


@pytest.mark.slow
def test_on_the_command_line_it_is_one_line(tmp_path):
    write_cube(letter_cube(), tmp_path / "a.hexrecruit.nc")
    words = ["movie", tmp_path / "a.hexrecruit.nc", "-o", tmp_path / "a.gif", "--size", 120, 120]
    done = subprocess.run(
        [sys.executable, "-m", "napari_hexrecruit", *map(str, words), "--title", NOTHING_HAS],
        capture_output=True,
        check=True,
    )
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("warning: no font on this computer has ")


def test_characters_that_the_font_has_need_no_search(monkeypatch):
    def no_search(characters):
        raise AssertionError(f"searched for {characters}")

    monkeypatch.setattr(text_module, "_fonts_for", no_search)
    drawable.cache_clear()
    assert drawable("Größe µm ● Ω שלום").families == ("sans-serif",)


@pytest.fixture
def own_font(tmp_path):
    """A font with two letters that matplotlib's fonts lack."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for step, point in enumerate([(50, 0), (50, 700), (750, 700), (750, 0)]):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    glyph = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "a", "b"])
    font.setupCharacterMap({ord(NOTHING_HAS[0]): "a", ord(NOTHING_HAS[1]): "b"})
    font.setupGlyf({".notdef": glyph, "a": glyph, "b": glyph})
    font.setupHorizontalMetrics(dict.fromkeys((".notdef", "a", "b"), (800, 50)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Two Letters Sans", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    path = tmp_path / "two.ttf"
    font.save(path)
    return path


@pytest.fixture
def afresh():
    """Fonts as matplotlib lists them, before and after."""
    listed = list(font_manager.fontManager.ttflist)
    caches = (drawable, text_module._fonts_for, text_module._new_fonts)
    for cached in caches:
        cached.cache_clear()
    yield
    font_manager.fontManager.ttflist[:] = listed
    for cached in caches:
        cached.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "installed-since"])
def test_letters_come_from_a_font_that_has_them(own_font, afresh, listed, monkeypatch, tmp_path):
    if listed:
        font_manager.fontManager.addfont(own_font)
    else:
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(own_font)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = render_frames(letter_cube(), size=(400, 260), title=f"a {NOTHING_HAS}")
        header = frames.scene.layout.header
        ink = (frames[0][header.top : header.bottom] < 128).all(axis=2).sum()
        for kind in ("svg", "pdf"):
            write_frame(frames, tmp_path / f"a.{kind}", at=0.0)
    assert drawable(NOTHING_HAS).families == ("sans-serif", "Two Letters Sans")
    bare = (pixels(title="a")[header.top : header.bottom] < 128).all(axis=2).sum()
    assert ink - bare > 60, "two solid blocks"


LONG = "A long title about the recruitment of excitatory neurons under stimulation, " * 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "title",
    [LONG, "皮" * 90, "x" * 200, "a\nb", "a\n\nb", "a\n" + LONG],
    ids=["words", "letters", "one-word", "lines", "empty-line", "lines-and-words"],
)
def test_titles_of_many_letters_or_lines_are_whole_and_apart(title):
    options = {"size": (400, 300), "panel_titles": [title], "colorbar_label": title[:60]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecruitmentWarning)
        frames = render_frames(wave_cube(), title=title, **options)
        picture = frames[0]
    border = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
    assert all((edge == 255).all() for edge in border), "nothing reaches the edge"
    layout = frames.scene.layout
    words = frames.scene.header.title
    assert "".join("".join(words.lines).split()) == "".join(title.split())
    assert layout.title.bottom <= layout.header.top
    assert layout.header.bottom <= layout.panels[0].top - frames.scene.panels[0].title_lines.height
    assert layout.panels[0].height > 30


@pytest.mark.slow
def test_a_title_that_leaves_no_room_for_the_map_is_refused():
    with pytest.raises(ValueError, match=r"no room for the map .* shorten titles"):
        render_frames(letter_cube(), size=(200, 150), title=LONG * 10)


def test_labels_of_marks_and_times_stay_inside():
    label = "a stimulus with a long name " * 4
    marks = [(0, 100, label), (0, 100, "other " * 20)]
    frames = render_frames(wave_cube(), size=(400, 300), marks=marks, time_format="{start} " * 9)
    assert (frames[0][:, -2:] == 255).all()
    assert all(len(text) > 5 for text in frames.scene.header.labels.values())


@given(
    text=st.text(st.sampled_from("abc \n皮"), min_size=1, max_size=80),
    width=st.floats(12.0, 400.0),
)
def test_fitting_loses_no_letter_and_keeps_to_the_width(text, width):
    made = fitted(text, width, 10.0, lambda words, px: px * len(words))
    assert "".join("".join(made.lines).split()) == "".join(text.split())
    assert all(made.px * len(line) <= width + 1e-6 for line in made.lines if len(line) > 1)
    assert 5.9 <= made.px <= 10.0


@pytest.mark.slow
def test_a_lone_surrogate_comes_back_from_a_run_file(tmp_path):
    write_cube(letter_cube(), tmp_path / "a.hexrecruit.nc")
    words = [sys.executable, "-m", "napari_hexrecruit", "movie", str(tmp_path / "a.hexrecruit.nc")]
    words += ["--run-file", str(tmp_path / "run.yaml"), "--at", "0", "-o"]
    given_first = ["--title", b"a\xff", "--mark", b"0:9:\xff"]
    first = [*words, str(tmp_path / "a.png"), *given_first]
    subprocess.run(first, check=True, capture_output=True)
    subprocess.run([*words, str(tmp_path / "b.png")], check=True, capture_output=True)
    assert yaml.safe_load((tmp_path / "run.yaml").read_text())["title"] == "a\udcff"
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
