"""Take screenshots of the medium sample's web page for README and documentation.

Usage: make screenshots (or python scripts/web_screenshots.py [FOLDER]); needs chromium.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.browser import browser, open_page

from napari_hexrecruit import Underlay, open_simulation, recruitment_cube, show, write_html
from napari_hexrecruit.flatmap import neuron_regions
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

AT = "#t=180"


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/_static")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        sim = open_simulation(write_simulation(folder / "sample", MEDIUM))
        pages, chosen = write_pages(sim, folder)
        with browser(folder) as driver:
            for name, page, fragment, size in (
                ("web-light", "one", f"{AT}&theme=light", (1280, 960)),
                ("web-dark", "one", f"{AT}&theme=dark", (1280, 960)),
                ("web-two", "two", f"{AT}&theme=light", (1280, 900)),
                ("web-flatmap", "flatmap", f"{AT}&theme=light", (1280, 900)),
                ("web-phone", "one", f"{AT}&theme=light", (412, 1250)),
            ):
                open_page(driver, pages[page], f"{fragment}&selected={chosen}", size)
                time.sleep(0.5)
                driver.save_screenshot(str(target / f"{name}.png"))
            shape = {"width": 1100, "height": 1010, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
            driver.get(pages["notebook"].as_uri())
            time.sleep(3)
            driver.save_screenshot(str(target / "web-notebook.png"))


def write_pages(sim, folder: Path) -> tuple[dict[str, Path], str]:
    """Write pages; return them by name, and the names of hexagons to select on them."""
    marks = [(s.start_ms, s.stop_ms, "stimulus") for s in sim.stimuli]
    cube = recruitment_cube(sim)
    title = "Waves in the sample cortex"
    one = write_html(cube, folder / "one.html", title=title, marks=marks)
    kinds = {"EXC": "Excitatory", "INH": "Inhibitory"}
    cubes = [recruitment_cube(sim, where=f"synapse_class={kind}") for kind in kinds]
    two = write_html(
        cubes, folder / "two.html", title=title, panel_titles=list(kinds.values()), marks=marks
    )
    regions = neuron_regions(sim, cube, "region")
    places = zip(regions.centroids().tolist(), regions.names, strict=True)
    flatmap = write_html(
        recruitment_cube(sim, where="synapse_class=INH"),
        folder / "flatmap.html",
        title="Over the density of neurons, with regions",
        under=density(sim),
        opacity=0.75,
        outlines=regions.outlines(),
        labels=[(x, y, name) for (x, y), name in places if np.isfinite(x)],
        marks=marks,
    )
    busiest = np.argsort(cube["n_recruited"].values.sum(axis=0))[[-1, -40, -200]]
    names = ",".join(cube["hex"].values[busiest])
    written = notebook(cube, marks, folder / "notebook.html")
    return {"one": one, "two": two, "flatmap": flatmap, "notebook": written}, names


def density(sim) -> Underlay:
    """Return the density of neurons as an image."""
    population = sim.default_population()
    x, y = (np.asarray(sim.column(population, f"ss_flat_{axis}")) for axis in "xy")
    known = np.isfinite(x) & np.isfinite(y) & (x != -1)
    counts, x_edges, y_edges = np.histogram2d(x[known], y[known], bins=(150, 120))
    extent = (x_edges[0], x_edges[-1], y_edges[0], y_edges[-1])
    return Underlay(1 - counts.T[::-1] / counts.max(), extent)


def notebook(cube, marks, path: Path) -> Path:
    """Write a notebook with a player, converted by nbconvert."""
    import nbconvert
    import nbformat

    player = show(cube, marks=marks, title="Waves in the sample cortex", height=780)
    data = {"text/html": player._repr_html_(), "text/plain": repr(player)}
    cells = [
        nbformat.v4.new_markdown_cell("# A cube in a notebook"),
        nbformat.v4.new_code_cell(
            "from napari_hexrecruit import read_cube, show\n\n"
            'show(read_cube("sample.hexrecruit.nc"), title="Waves in the sample cortex")',
            outputs=[nbformat.v4.new_output("display_data", data)],
        ),
    ]
    text, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    path.write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
