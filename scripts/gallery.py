"""Draw the pictures of the documentation's gallery and write its page.

    python scripts/gallery.py

A sample simulation is written and computed for it, so nothing else is needed. Each function below
is one entry: its docstring is the text, its code is shown on the page.
"""

from __future__ import annotations

import inspect
import tempfile
import textwrap
from pathlib import Path

import numpy as np

from napari_hexrecruit import (
    HexGrid,
    cumulative_cube,
    open_simulation,
    recruitment_cube,
    render_frames,
    write_movie,
)
from napari_hexrecruit.render.picture import write_frame
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = DOCS / "_static" / "gallery"


def plain(sim, folder):
    """A bin of the sheet

    Without options: a colour bar, the time and a scale bar; colours from 0 to 50 %.
    """
    cube = recruitment_cube(sim)
    frames = render_frames(cube, size=(720, 405))
    write_frame(frames, folder / "plain.png", at=180)


def strip(sim, folder):
    """The population and the stimuli

    The strip under the map shows the whole population over time; marks show the stimuli.
    """
    cube = recruitment_cube(sim)
    stimuli = [(s.start_ms, s.stop_ms, "stimulus") for s in sim.stimuli]
    frames = render_frames(cube, strip=True, marks=stimuli, title="Waves", size=(720, 405))
    write_frame(frames, folder / "strip.png", at=480)


def side_by_side(sim, folder):
    """Two classes of neurons side by side

    Cubes with the same time axis share the colour limits. Black suits dark slides.
    """
    cubes = [recruitment_cube(sim, where=f"synapse_class={kind}") for kind in ("EXC", "INH")]
    frames = render_frames(
        cubes,
        panel_titles=["Excitatory", "Inhibitory"],
        background="black",
        colormap="inferno",
        strip=True,
        size=(720, 405),
    )
    write_frame(frames, folder / "side_by_side.png", at=180)


def so_far(sim, folder):
    """Neurons recruited so far

    Percentage of each hexagon's neurons that have fired since the start of the window.
    """
    cube = cumulative_cube(sim, start=100, stop=400)
    frames = render_frames(cube, colormap="cividis", strip=True, size=(720, 405))
    write_frame(frames, folder / "so_far.png", at=240)


def rate(sim, folder):
    """Firing rate, smoothed

    Another metric, averaged over three bins.
    """
    cube = recruitment_cube(sim)
    frames = render_frames(cube, metric="rate", average=3, colormap="magma", size=(720, 405))
    write_frame(frames, folder / "rate.png", at=200)


def over_an_image(sim, folder):
    """Over an image, with outlines

    Here, the image shows the density of all neurons, the hexagons are those of one region, and the
    outlines are wide hexagons. You can also use a flatmap and the borders of its regions.
    """
    cube = recruitment_cube(sim, where="region=S1FL", radius=25, min_neurons=5)
    population = sim.default_population()
    x, y = (np.asarray(sim.column(population, f"ss_flat_{axis}")) for axis in "xy")
    known = np.isfinite(x) & np.isfinite(y) & (x != -1)
    density, x_edges, y_edges = np.histogram2d(x[known], y[known], bins=(150, 120))
    image = 1 - density.T[::-1] / density.max()  # the first row of an image is its top
    extent = (x_edges[0], x_edges[-1], y_edges[0], y_edges[-1])
    wide = HexGrid(400)
    corners = wide.hex_to_corners(*np.unique(wide.xy_to_hex(x[known], y[known]), axis=1))
    outlines = [np.vstack([one, one[:1]]) for one in corners]
    frames = render_frames(
        cube, under=(image, extent), outlines=outlines, opacity=0.8, fit="all", size=(720, 405)
    )
    write_frame(frames, folder / "over_an_image.png", at=180)


def for_print(sim, folder):
    """A picture for a paper

    SVG and PDF files contain polygons and text. At 200 pixels per inch, this picture is 3.5 inches
    wide.
    """
    cube = recruitment_cube(sim)
    frames = render_frames(cube, start=180, stop=190, timestamp=False, size=(700, 500))
    write_frame(frames, folder / "for_print.svg", dpi=200)


def movie(sim, folder):
    """A movie

    The frames as a GIF. For slides, `.mp4` gives a smaller and better file.
    """
    cube = recruitment_cube(sim)
    frames = render_frames(cube, start=80, stop=400, clim=(0, 40), strip=True, size=(480, 300))
    write_movie(frames, folder / "movie.gif", fps=frames.fps_for(dilation=8), overwrite=True)


ENTRIES = (plain, strip, side_by_side, so_far, rate, over_an_image, for_print, movie)
HEAD = """\
# Gallery

The code under each picture makes it from `sim`, the opened sample simulation. The script
`scripts/gallery.py` makes all pictures and this page.

```python
from napari_hexrecruit import open_simulation
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

sim = open_simulation(write_simulation("sample", MEDIUM))
```
"""

TAIL = """\
## A web page

One file that plays in any browser; see [Web page](web-page.md).

```{raw} html
<iframe src="player-first.html" title="The sample as a web page"
  style="width: 100%; height: 860px; border: 0"></iframe>
```
"""


def entry_text(entry):
    """Return heading, text, picture and code of an entry as Markdown."""
    title, _, text = inspect.getdoc(entry).partition("\n\n")
    body = inspect.getsource(entry).split('"""', 2)[2]
    code = textwrap.dedent(body).strip().replace("folder / ", "")
    picture = next(PICTURES.glob(f"{entry.__name__}.*")).name
    return (
        f"## {title}\n\n{text}\n\n![{title}](_static/gallery/{picture})\n\n```python\n{code}\n```\n"
    )


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sim = open_simulation(write_simulation(Path(folder, "sample"), MEDIUM))
        for entry in ENTRIES:
            for old in PICTURES.glob(f"{entry.__name__}.*"):
                old.unlink()
            entry(sim, PICTURES)
    page = "\n".join([HEAD, *(entry_text(entry) for entry in ENTRIES), TAIL])
    (DOCS / "gallery.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
