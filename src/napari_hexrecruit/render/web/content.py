"""Contents of a page besides its values: texts, axes, hexagons, colours. Plain data for JSON."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit._version import __version__
from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.render.header import time_digits
from napari_hexrecruit.render.sheet import colour_table
from napari_hexrecruit.render.words import check_same_quantity
from napari_hexrecruit.schema import HEX, MICROMETRES, N_NEURONS, N_TRIALS, TIME, notes_of
from napari_hexrecruit.text import one_line, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import xarray as xr
    from PIL import Image

    from napari_hexrecruit.metrics import Metric
    from napari_hexrecruit.render.scene import Underlay
    from napari_hexrecruit.render.style import Mark
    from napari_hexrecruit.render.window import Shown

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "Greys", "turbo", "RdBu_r", "coolwarm")
_MOST_PIXELS_UNDER = 2_000_000


@dataclass(frozen=True)
class Look:
    """Options of the page's first view, and the image and lines under and over the hexagons."""

    clim: tuple[float, float] | None
    colormap: str | None
    title: str
    panel_titles: tuple[str, ...]
    marks: tuple[Mark, ...]
    under: Underlay | None
    outlines: tuple[npt.NDArray[np.float64], ...]
    labels: tuple[tuple[float, float, str], ...]
    opacity: float
    dilation: float | None


def content(
    cubes: Sequence[xr.Dataset], metrics: Sequence[Metric], shown: Shown, look: Look
) -> dict[str, Any]:
    """Return everything that the browser needs except the values of hexagons."""
    name = one_line(look.title or str(cubes[0].attrs["title"]))
    described = [_metric(metric, k, cubes, look) for k, metric in enumerate(metrics)]
    names = dict.fromkeys([*(one["colormap"] for one in described), *COLORMAPS])
    return {
        "title": name,
        "time": {
            "start": shown.start_ms,
            "bin": shown.bin_ms,
            "step": shown.bins.step * shown.bin_ms,
            "n": len(shown.bins),
            "from": shown.time_from,
            "decimals": time_digits(shown)[0],
        },
        "dilation": look.dilation,
        "metrics": described,
        "colormaps": {one: _table(one) for one in names},
        "panels": [
            _panel(cube, plain(title)) for cube, title in zip(cubes, look.panel_titles, strict=True)
        ],
        "marks": [{"start": m.start, "stop": m.stop, "label": plain(m.label)} for m in look.marks],
        "under": None if look.under is None else _under(look.under),
        "outlines": [_line(line) for line in look.outlines],
        "labels": [{"x": x, "y": y, "text": plain(text)} for x, y, text in look.labels],
        "opacity": look.opacity,
        "version": __version__,
    }


def _metric(metric: Metric, k: int, cubes: Sequence[xr.Dataset], look: Look) -> dict[str, Any]:
    check_same_quantity(metric, cubes)
    label, units = metric.label_for(cubes[0])
    given = look.clim if k == 0 else None
    low, high = first_limits(cubes, metric) if given is None else given
    return {
        "name": metric.name,
        "label": plain(label),
        "units": plain(units),
        "clim": [low, high],
        "colormap": (look.colormap if k == 0 else None) or metric.colormap,
        "diverging": metric.diverging,
        "mean": metric.pools and not any(map(metric.is_of_two, cubes)),
        "fitted": metric.below_zero,
    }


def _panel(cube: xr.Dataset, title: str) -> dict[str, Any]:
    attrs = cube.attrs
    n_trials = int(attrs.get(N_TRIALS, 1))
    return {
        "title": title,
        "about": about(cube),
        "radius": float(attrs["hex_radius"]),
        "origin": [float(attrs.get("hex_origin_x", 0.0)), float(attrs.get("hex_origin_y", 0.0))],
        "isLength": attrs["flat_units"] in MICROMETRES,
        "trials": n_trials,
        "seconds": float(attrs["bin_ms"]) / 1000.0 * n_trials,
        "hex": [plain(str(name)) for name in cube[HEX].values],
        "i": cube["i"].values.tolist(),
        "j": cube["j"].values.tolist(),
        "neurons": cube[N_NEURONS].values.tolist(),
    }


_SPIKES = (
    ("Spikes read", "n_spikes_read"),
    ("Spikes outside the window", "n_spikes_outside_window"),
    ("Spikes with an unknown id", "n_spikes_unknown_id"),
)


def about(cube: xr.Dataset) -> list[list[str]]:
    """Return rows of label and text that state the origin of a cube, with the whole recipe."""
    attrs, recipe = cube.attrs, CubeRecipe.of_foreign(cube)

    def said(entry: str, text: str) -> str:
        return "not recorded" if entry in recipe.lacks else text

    start, stop = float(cube[TIME][0]), float(cube[TIME][-1]) + float(attrs["bin_ms"])
    n_placed = int(cube[N_NEURONS].values.sum())
    rows = [
        ("Title", attrs["title"]),
        ("Population", attrs["population"]),
        ("Node set", said("node_set", recipe.node_set or "the simulation's own")),
        ("Filter", said("where", "; ".join(_rule_texts(recipe)) or "none")),
        ("Flat position", said("flat", ", ".join(recipe.columns or [str(recipe.flat)]))),
        ("Radius", f"{float(attrs['hex_radius']):g} {_units(cube)}"),
        ("Bin", f"{float(attrs['bin_ms']):g} ms"),
        ("Window", f"{start:g} to {stop:g} ms, {cube.sizes[TIME]:,} bins"),
        ("Hexagons", f"{cube.sizes[HEX]:,}"),
        ("Neurons counted", f"{n_placed:,} of {int(attrs['n_neurons_selected']):,} selected"),
        ("Neurons without a flat position", f"{int(attrs['n_neurons_without_place']):,}"),
        ("Least neurons for a value", said("min_neurons", f"{recipe.min_neurons:,}")),
        *((label, f"{int(attrs[name]):,}") for label, name in _SPIKES if name in attrs),
        *(("Warning", text) for text in _texts(attrs.get("warnings"))),
        *(("Note", text) for text in notes_of(cube)),
        ("Recipe", str(attrs["recipe"])),
        ("Computed by", f"napari-hexrecruit {attrs['napari_hexrecruit_version']}"),
    ]
    return [[label, plain(str(text))] for label, text in rows]


def _units(cube: xr.Dataset) -> str:
    units = str(cube.attrs["flat_units"])
    return "µm" if units in MICROMETRES else units


def _rule_texts(recipe: CubeRecipe) -> list[str]:
    from napari_hexrecruit.filters import rule_to_text

    try:
        return [rule_to_text(rule) for rule in recipe.rules]
    except ValueError:  # a filter that cannot be written as text
        return [json.dumps(recipe.entries()["where"])]


def _texts(attribute: Any) -> list[str]:
    """Return the sentences of an attribute that is a JSON list; none if it cannot be read."""
    try:
        found = json.loads(attribute or "[]")
    except (TypeError, ValueError, RecursionError):
        return []
    return [str(text) for text in found] if isinstance(found, list) else []


def _table(name: str) -> str:
    return base64.b64encode(np.ascontiguousarray(colour_table(name)[:, :3]).tobytes()).decode()


def _line(line: npt.NDArray[np.float64]) -> list[list[float] | None]:
    return [point.tolist() if np.isfinite(point).all() else None for point in line.round(3)]


def _under(under: Underlay) -> dict[str, Any]:
    """Encode an image as PNG, or as JPEG if that is smaller and the image has no alpha."""
    from PIL import Image

    pixels = np.asarray(under.image)
    if pixels.dtype != np.uint8:
        pixels = (np.clip(np.nan_to_num(pixels), 0.0, 1.0) * 255).round().astype(np.uint8)
    step = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / _MOST_PIXELS_UNDER)))
    image = Image.fromarray(pixels)
    if step > 1:
        image = image.resize((image.width // step, image.height // step), Image.Resampling.BOX)
    files = [_encoded(image, "png", optimize=True)]
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        files.append(_encoded(image, "jpeg", quality=90))
    _, kind, data = min(files)
    return {"kind": kind, "data": base64.b64encode(data).decode(), "extent": list(under.extent)}


def _encoded(image: Image.Image, kind: str, **options: Any) -> tuple[int, str, bytes]:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return len(file.getvalue()), f"image/{kind}", file.getvalue()
