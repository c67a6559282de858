"""The web page in a real browser: what is seen, what can be done, and that nothing leaves it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from tests.support.browser import (
    axe_core,
    browser,
    console_of,
    need_browser,
    open_page,
    requests_of,
)
from tests.support.cubes import cube_of, sheet_cube, wave_cube
from tests.support.waiting import wait_until

from napari_hexrecruit import hex_traces, render_frames, show, write_html
from napari_hexrecruit.analysis import population_trace

EVIL = "</script><img src=x onerror=document.title='taken'>"
COLOUR_AT = """
const [panel, x, y] = arguments;
const box = document.querySelectorAll('.map-box')[panel];
const canvas = box.querySelector('.hexagons');
const data = canvas.getContext('2d').getImageData(Math.round(x), Math.round(y), 1, 1).data;
return Array.from(data);
"""

SELECTED = """
const { content, state } = hexrecruit;
return state.selection[0].map((hex) => content.panels[0].hex[hex]);
"""


@pytest.fixture(scope="module", autouse=True)
def _there_is_a_browser():
    need_browser()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def driver(folder):
    with browser(folder) as one:
        yield one


@pytest.fixture(scope="module")
def cube():
    return sheet_cube(n_hexes=300, n_bins=60)


@pytest.fixture(scope="module")
def page(cube, folder):
    path = folder / "page.html"
    return write_html(cube, path, clim=(0, 40), marks=[(3100, 3200, "tone")], title="A sheet")


def saved_table(driver, folder):
    """The table that the button gives, as floats; empty cells are NaN."""
    for old in folder.glob("*-traces.csv"):
        old.unlink()
    driver.find_element("id", "save-traces").click()
    wait_until(lambda: list(folder.glob("*-traces.csv")))
    (file,) = folder.glob("*-traces.csv")
    head, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
    values = np.array([[float(cell or "nan") for cell in row] for row in rows])
    return dict(zip(head, values.T, strict=True))


@pytest.mark.slow
def test_no_request_and_no_message(driver, page):
    open_page(driver, page)
    driver.find_element("id", "play").click()
    wait_until(lambda: driver.execute_script("return hexrecruit.state.bin > 3"))
    driver.find_element("id", "about-open").click()
    assert requests_of(driver) == []
    assert console_of(driver) == []


def test_the_policy_stops_what_a_script_would_load(driver, page):
    open_page(driver, page)
    said = driver.execute_async_script(
        "const done = arguments[0];"
        "fetch('https://example.org').then(() => done('loaded'), () => done('stopped'));"
    )
    assert said == "stopped"
    assert requests_of(driver) == []
    assert any("Content Security Policy" in line for line in console_of(driver))


@pytest.mark.slow
def test_hostile_texts_are_texts(driver, folder):
    cube = wave_cube()
    recipe = json.dumps({"node_set": EVIL, "population": EVIL})
    cube.attrs |= {"population": EVIL, "title": EVIL, "recipe": recipe}
    path = folder / "evil.html"
    write_html(
        cube,
        path,
        title=EVIL,
        panel_titles=[EVIL],
        marks=[(0, 200, EVIL)],
        labels=[(300.0, 300.0, EVIL)],
        overwrite=True,
    )
    open_page(driver, path)
    assert driver.title == EVIL
    assert driver.find_element("id", "title").text == EVIL
    assert EVIL in driver.find_element("id", "active-marks").text
    assert driver.find_elements("css selector", "img") == []
    driver.find_element("id", "about-open").click()
    cells = [cell.text for cell in driver.find_elements("css selector", "#about td")]
    assert cells.count(EVIL) >= 3
    assert console_of(driver) == []


@pytest.mark.slow
def test_colours_are_those_of_the_movie(driver, page, cube):
    bin_ = 23
    open_page(driver, page, f"#t={3000 + 10 * bin_}")
    frames = render_frames(cube, clim=(0, 40), size=(1280, 720))
    picture = frames[bin_]
    panel = frames.scene.panels[0]
    view = driver.execute_script(
        "const b = document.querySelector('.map-box');return [b.clientWidth, b.clientHeight];"
    )
    tall = view[1] - 28  # the scale bar is under the map
    x, y = cube["x"].values, cube["y"].values
    bounds = frames.scene.panels[0].hexes.bounds
    scale = 1.04 * max((bounds[1] - bounds[0]) / view[0], (bounds[3] - bounds[2]) / tall)
    middle = (bounds[0] + bounds[1]) / 2, (bounds[2] + bounds[3]) / 2
    some = range(0, cube.sizes["hex"], 7)
    for hexagon in some:
        column, row = panel.view.to_pixels(x[hexagon], y[hexagon])
        expected = picture[int(row) + panel.box.top, int(column) + panel.box.left].astype(int)
        at = (
            view[0] / 2 + (x[hexagon] - middle[0]) / scale,
            tall / 2 - (y[hexagon] - middle[1]) / scale,
        )
        seen = driver.execute_script(COLOUR_AT, 0, *map(float, at))
        assert np.abs(np.array(seen[:3]) - expected).max() <= 1, (hexagon, seen, expected)
    assert len({tuple(picture[200, k]) for k in range(0, 1280, 9)}) > 5


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["recruitment", "n_recruited", "rate"])
def test_traces_are_those_of_the_cube(driver, folder, metric):
    rng = np.random.default_rng(1)
    neurons = [0, 3, 700, 41, 100]
    counts = rng.integers(0, np.add(neurons, 1), (300, 5))
    cube = cube_of(
        counts, row=[0] * 5, col=range(5), n_neurons=neurons, n_spikes=counts * 3, start_ms=7.0
    )
    path = write_html(cube, folder / "t.html", metric=[metric, "recruitment"], overwrite=True)
    names = cube["hex"].values.tolist()
    open_page(driver, path, f"#metric={metric}&selected={','.join(names)}")
    table = saved_table(driver, folder)
    found = hex_traces(cube, names, metric=metric)
    assert table["time_ms"].tolist() == cube["time"].values.tolist()
    for k, name in enumerate(names):
        np.testing.assert_array_equal(table[name], found["trace"].values[:, k].astype(float))
    np.testing.assert_array_equal(table["mean of 5 hexagons"], found["mean"].values)
    np.testing.assert_array_equal(
        table["population mean"], population_trace(cube, metric=metric).values
    )


@pytest.mark.slow
def test_a_link_opens_in_the_same_state(driver, page, cube):
    names = cube["hex"].values[[5, 100, 250]].tolist()
    asked = (
        f"#t=3210&metric=n_recruited&clim=2,77.5&colormap=magma&view=10,-20,2.5"
        f"&selected={','.join(names)}&theme=dark"
    )
    open_page(driver, page, asked)
    link = driver.execute_script("return hexrecruit.link()")
    assert driver.find_element("id", "stamp").text == "3210 ms"
    assert driver.find_element("id", "upper-limit").get_attribute("value") == "77.5"
    assert driver.find_element("id", "colormap").get_attribute("value") == "magma"
    assert len(driver.find_elements("css selector", "#legend li")) == 5
    state = "const {theme, ...rest} = hexrecruit.state; return JSON.stringify([theme, rest])"
    before = driver.execute_script(state)
    open_page(driver, page, "#" + link.split("#")[1])
    assert driver.execute_script(state) == before
    assert driver.execute_script("return hexrecruit.link()") == link


@pytest.mark.parametrize(
    "hash_",
    ["#t=x&clim=5,1&colormap=nope&view=1&selected=R9;C9&metric=no", "#%%%", "#t=1e9", "#clim=,"],
)
def test_a_link_that_makes_no_sense_does_no_harm(driver, page, hash_):
    open_page(driver, page, hash_)
    assert driver.execute_script("return hexrecruit.state.limits[0]") == [0, 40]
    assert console_of(driver) == []


@pytest.mark.slow
def test_the_keyboard_reaches_everything(driver, page):
    from selenium.webdriver import ActionChains, Keys

    open_page(driver, page)

    def press(*keys):
        ActionChains(driver).send_keys(*keys).perform()

    def state(name):
        return driver.execute_script(f"return hexrecruit.state.{name}")

    press(Keys.END)
    assert state("bin") == 59
    press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert state("bin") == 1
    slower = state("dilation")
    press("+")
    assert state("dilation") < slower
    press(" ")
    assert state("playing")
    wait_until(lambda: state("bin") > 2)
    press(" ")
    assert not state("playing")

    reached = []
    for _ in range(60):
        press(Keys.TAB)
        element = driver.switch_to.active_element
        name = element.get_attribute("id") or element.get_attribute("class")
        if name in reached:
            break
        reached.append(name)
        if name == "map-box":
            press(Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ENTER)
            assert len(state("selection")[0]) == 1
            assert "neurons" in driver.find_element("id", "readout").text
            press(Keys.ARROW_DOWN, Keys.SHIFT, Keys.ENTER)
        if name == "handle upper":
            high = state("limits")[0][1]
            press(Keys.ARROW_DOWN)
            assert state("limits")[0][1] < high
    shown = driver.execute_script(
        "return Array.from(document.querySelectorAll('button,select,input,[tabindex]'))"
        ".filter((e) => e.offsetParent && !e.disabled).map((e) => e.id || e.className)"
    )
    assert set(shown) <= set(reached)


@pytest.mark.slow
def test_the_mouse_selects_and_the_lasso_takes_many(driver, page):
    from selenium.webdriver import ActionChains

    open_page(driver, page)
    box = driver.find_element("css selector", ".map-box")
    ActionChains(driver).move_to_element(box).click().perform()
    assert len(driver.execute_script("return hexrecruit.state.selection[0]")) == 1
    tip = driver.find_element("id", "tip").text
    (name,) = driver.execute_script(SELECTED)
    assert tip.startswith(name)
    assert "neurons" in tip
    driver.find_element("id", "lasso").click()
    chain = ActionChains(driver).move_to_element_with_offset(box, -80, -80).click_and_hold()
    for x, y in [(160, 0), (0, 160), (-160, 0)]:
        chain = chain.move_by_offset(x, y)
    chain.release().perform()
    n = len(driver.execute_script("return hexrecruit.state.selection[0]"))
    assert n > 10
    assert f"{n} selected hexagons" in driver.find_element("id", "plot-title").text


@pytest.mark.slow
def test_limits_are_dragged_and_typed(driver, page):
    from selenium.webdriver import ActionChains, Keys

    open_page(driver, page)
    handle = driver.find_element("css selector", ".handle.upper")
    ActionChains(driver).drag_and_drop_by_offset(handle, 0, 60).perform()
    dragged = driver.execute_script("return hexrecruit.state.limits[0]")
    assert 5 < dragged[1] < 38
    field = driver.find_element("id", "upper-limit")
    field.send_keys(Keys.CONTROL, "a", Keys.NULL, "33\t")
    assert driver.execute_script("return hexrecruit.state.limits[0]") == [0, 33]
    field.send_keys(Keys.CONTROL, "a", Keys.NULL, "-4\t")  # below the lower one
    assert driver.execute_script("return hexrecruit.state.limits[0]") == [0, 33]
    assert field.get_attribute("value") == "33"


@pytest.mark.slow
def test_several_cubes_share_clock_limits_and_selection(driver, folder, cube):
    from selenium.webdriver import ActionChains

    path = write_html(
        [cube, cube], folder / "two.html", panel_titles=["Awake", "Asleep"], overwrite=True
    )
    open_page(driver, path)
    boxes = driver.find_elements("css selector", ".map-box")
    assert len(boxes) == 2
    ActionChains(driver).move_to_element(boxes[1]).click().perform()
    legend = driver.find_element("id", "legend").text
    (name,) = driver.execute_script(SELECTED)
    assert f"Awake: {name}" in legend
    assert f"Asleep: {name}" in legend


def test_other_radii_side_by_side_have_selections_of_their_own(driver, folder):
    cubes = [wave_cube(radius=50.0), wave_cube(radius=25.0)]
    open_page(driver, write_html(cubes, folder / "radii.html", overwrite=True))
    assert "different radius" in driver.find_element("id", "message").text
    assert driver.execute_script("return hexrecruit.state.selection.length") == 2


def test_a_cube_without_any_value_says_so(driver, folder):
    cube = wave_cube(min_neurons=1000)
    open_page(driver, write_html(cube, folder / "none.html", overwrite=True))
    assert "No hexagon has a value" in driver.find_element("id", "message").text
    assert console_of(driver) == []


@pytest.mark.slow
def test_hexagons_far_apart_and_very_many_bins_are_drawn(driver, folder):
    cube = cube_of(np.full((12_000, 2), 40), row=[0, 200_000], col=[0, 400_000])
    open_page(driver, write_html(cube, folder / "far.html", overwrite=True), "#selected=R0;C0")
    assert driver.execute_script("return hexrecruit.state.selection[0]") == [0]
    assert driver.find_element("id", "plot-title").text == "1 selected hexagon"
    assert console_of(driver) == []


def test_a_browser_that_is_too_old_is_told_so(driver, page):
    script = "delete globalThis.DecompressionStream"
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        driver.get("about:blank")
        driver.get(page.as_uri())
        wait_until(lambda: driver.find_element("id", "message").is_displayed())
        said = driver.find_element("id", "message").text
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert "DecompressionStream" in said
    assert not driver.find_element("id", "main").is_displayed()
    assert driver.find_element("id", "title").text == "A sheet"


AXE = """
const done = arguments[0];
axe.run().then((found) => done(found.violations.map((one) =>
  `${one.impact} ${one.id}: ${one.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`)));
"""


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("opened", ["", "about"])
def test_the_accessibility_checker_finds_nothing(driver, page, cube, theme, opened):
    axe = axe_core()
    names = cube["hex"].values[[5, 100]].tolist()
    open_page(driver, page, f"#t=3150&selected={','.join(names)}&theme={theme}")
    if opened:
        driver.find_element("id", "about-open").click()
    driver.execute_script(axe)
    assert driver.execute_async_script(AXE) == []


@pytest.mark.parametrize("width", [320, 420, 700])
def test_nothing_is_wider_than_a_phone_or_a_page_at_300_percent(driver, page, width):
    """At 300 % a window of 1,280 px has some 420 px for the page."""
    open_page(driver, page, size=(width, 800))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    box = driver.find_element("css selector", ".map-box")
    assert box.size["width"] > 0.8 * width
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.slow
def test_a_print_is_the_frame_without_controls(driver, page):
    open_page(driver, page, "#t=3150&theme=dark")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    try:
        assert driver.find_element("id", "stamp").is_displayed()
        assert not driver.find_element("id", "play").is_displayed()
        assert not driver.find_element("id", "save-picture").is_displayed()
        background = driver.find_element("tag name", "body").value_of_css_property(
            "background-color"
        )
        assert background == "rgba(255, 255, 255, 1)"
        driver.execute_script("dispatchEvent(new Event('afterprint'))")
        assert driver.execute_script("return document.documentElement.dataset.theme") == "dark"
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.slow
def test_the_picture_is_the_frame(driver, page, folder):
    from PIL import Image

    open_page(driver, page, "#t=3150&theme=light")
    driver.find_element("id", "save-picture").click()
    wait_until(lambda: list(folder.glob("*.png")))
    files = list(folder.glob("*.png"))
    assert files[0].name == "A-sheet-3150-ms.png"
    picture = np.asarray(Image.open(files[0]).convert("RGB"))
    assert picture.shape[1] > 1500
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


@pytest.mark.slow
def test_a_notebook_plays_without_a_kernel(driver, folder, cube):
    nbformat, nbconvert = pytest.importorskip("nbformat"), pytest.importorskip("nbconvert")
    player = show(cube, clim=(0, 40), height=700)
    cell = nbformat.v4.new_code_cell(
        "show(cube)",
        outputs=[
            nbformat.v4.new_output(
                "display_data",
                {"text/html": player._repr_html_(), "text/plain": repr(player)},
            )
        ],
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    text, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    path = folder / "notebook.html"
    path.write_text(text, encoding="utf-8")
    driver.get(path.as_uri())
    frame = driver.find_element("css selector", "iframe[srcdoc]")
    assert frame.size["height"] == 700
    driver.switch_to.frame(frame)
    ready = "return document.documentElement.dataset.ready === 'done'"
    wait_until(lambda: driver.execute_script(ready))
    before = driver.find_element("id", "stamp").text
    driver.find_element("id", "play").click()
    wait_until(lambda: driver.find_element("id", "stamp").text != before)
    assert not driver.find_element("id", "copy-link").is_displayed()
    driver.switch_to.default_content()


def test_a_page_too_large_for_a_notebook_says_what_to_do(monkeypatch, cube, tmp_path):
    monkeypatch.setattr("napari_hexrecruit.render.web.notebook._LARGEST_BYTES", 1000)
    player = show(cube)
    said = player._repr_html_()
    assert "<iframe" not in said
    assert "bits=8" in said
    assert player.save(tmp_path / "a.html").stat().st_size > 1000


def test_a_player_of_no_height_is_refused(cube):
    with pytest.raises(ValueError, match="200 px or more"):
        show(cube, height=3)
