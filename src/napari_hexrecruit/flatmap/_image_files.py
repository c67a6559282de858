"""Read images in flat space: pixels, pixel size, and the sidecar file next to them."""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.nrrd import read_image, um_per_unit
from napari_hexrecruit.errors import Parameter, ParameterError, SimulationDataError
from napari_hexrecruit.flatmap._images import (
    FlatImage,
    Nudge,
    Point,
    checked_pixel_size,
    checked_point,
)
from napari_hexrecruit.storage.atomic import written_aside
from napari_hexrecruit.system.waiting import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

_STDERR = 2
_one_at_a_time = threading.RLock()
_KIND = "flat image"
_VERSION = 1
_UM = {
    **dict.fromkeys(("um", "µm", "\u03bcm", "micron", "micrometer", "\\u00b5m"), 1.0),
    **{"nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25_400.0},
}
"""Micrometres per unit of length."""
_FOR_PRINT = (72, 75, 96, 100, 120, 144, 150, 180, 200, 220, 240, 300, 350, 360, 400, 600, 1200)
"""Pixels per inch that programs write for screens and printers; not a scale of the cortex."""
_FORMATS = ("PNG", "TIFF", "JPEG", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "TGA", "PCX")
"""Formats to read. Not all of Pillow's: for an EPS it would run Ghostscript on the content."""
_MOST_PIXELS = 80_000_000
_DESCRIPTION, _RESOLUTION_UNIT = 270, 296


def read_flat_image(
    path: str | os.PathLike[str],
    *,
    pixel_size: float | Point | None = None,
    origin: Point | None = None,
    rotation_deg: float | None = None,
) -> FlatImage:
    """Read an image file with its position in flat space.

    Parameters
    ----------
    path
        PNG, TIFF (also OME-TIFF and ImageJ), JPEG, GIF, BMP, WebP, JPEG 2000, PPM, TGA or PCX, or a
        2-D nrrd; at most 80 million pixels.
    pixel_size
        Width and height of a pixel, µm; one number for square pixels. By default from the sidecar
        file, or else from the image itself: an OME-TIFF's physical size, an ImageJ TIFF's unit, a
        resolution (unless it is for print, such as 72 or 300 per inch), the spacings of an nrrd.
    origin
        Flat (x, y) of the image's lower left corner. By default from the sidecar file or an nrrd
        (whose ``space origin`` is the *centre* of its first sample), or (0, 0).
    rotation_deg
        Rotation counter-clockwise around that corner; by default from the sidecar file, or 0.

    Returns
    -------
    FlatImage
        Row 0 is the top of the picture as viewers show it, and has the largest y. An nrrd has no
        top: its first axis is x and its second is y, so the last samples along y are in row 0.

    Raises
    ------
    ValueError
        If the pixel size is unknown, or a number is invalid.
    SimulationDataError
        If the file is missing, is not an image or has several pages, or its sidecar is damaged.

    Notes
    -----
    The sidecar file of ``map.png`` is ``map.png.flat.json``; `write_sidecar` writes it.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> file = tempfile.mkdtemp() + "/map.png"
    >>> Image.new("L", (40, 20)).save(file)
    >>> read_flat_image(file, pixel_size=25.0, origin=(-500.0, 0.0)).extent
    (-500.0, 500.0, 0.0, 500.0)
    """
    source = Path(path)
    pixels, found, corner = _read_pixels(source)
    beside = _read_sidecar(sidecar_of(source))
    size = next((s for s in (pixel_size, beside.get("pixel_size"), found) if s is not None), None)
    if size is None:
        give = ("give ", Parameter("pixel_size"), ", um per pixel")
        raise ParameterError(source, "the image does not state the size of a pixel", give)
    places = (origin, beside.get("origin"), corner, (0.0, 0.0))
    turned = beside.get("rotation_deg", 0.0) if rotation_deg is None else rotation_deg
    image = FlatImage(pixels, size, next(p for p in places if p is not None), turned)
    return replace(image, nudge=beside.get("nudge", Nudge()), units=beside.get("units", "um"))


def sidecar_of(path: str | os.PathLike[str]) -> Path:
    """Return the name of an image's sidecar file, with its position: ``map.png.flat.json``."""
    return Path(path).with_name(Path(path).name + ".flat.json")


def write_sidecar(path: str | os.PathLike[str], image: FlatImage) -> Path:
    """Write an image's position to its sidecar file, for `read_flat_image`.

    Parameters
    ----------
    path
        File of the image.
    image
        Image with position and nudge; the pixels are not written.

    Returns
    -------
    Path
        The JSON file. An existing one is replaced.

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.mkdtemp() + "/map.png"
    >>> image = FlatImage(np.zeros((20, 40)), pixel_size=25.0).nudged(dx=3.0, rotation_deg=1.5)
    >>> write_sidecar(file, image).name
    'map.png.flat.json'
    """
    target = sidecar_of(path)
    content = {
        "napari_hexrecruit": _KIND,
        "version": _VERSION,
        "pixel_size": checked_pixel_size(image.pixel_size),
        "origin": image.origin,
        "rotation_deg": image.rotation_deg,
        "units": image.units,
        "nudge": asdict(image.nudge),
    }
    with written_aside(target, overwrite=True) as aside:
        aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return target


def _read_sidecar(path: Path) -> dict[str, Any]:
    """Read and check a sidecar file; empty if there is none."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["napari_hexrecruit"] != _KIND or content["version"] != _VERSION:
            raise ValueError(f"it is not a {_KIND!r} of version {_VERSION}")
        return {
            "pixel_size": checked_pixel_size(content["pixel_size"]),
            "origin": checked_point("origin", content["origin"]),
            "rotation_deg": content["rotation_deg"],
            "units": str(content["units"]),
            "nudge": Nudge(**content["nudge"]),
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise SimulationDataError(
            path, f"does not give the position of the image ({error})", "correct or delete it"
        ) from error


def _read_pixels(path: Path) -> tuple[npt.NDArray[Any], Point | None, Point | None]:
    """Read pixels, top row first; and pixel size and lower left corner if the file has them."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SimulationDataError(path, f"{what}", "give an image file")
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        return _read_nrrd(path)
    from PIL import Image, ImageOps

    try:
        with _quietly(), Image.open(path, formats=_FORMATS) as file:
            if file.width * file.height > _MOST_PIXELS:
                raise ValueError(
                    f"it has {file.width:,} x {file.height:,} pixels, and {_MOST_PIXELS:,} are the"
                    " most: make it smaller"
                )
            n_pages = getattr(file, "n_frames", 1)
            if n_pages != 1:
                raise SimulationDataError(
                    path, f"has {n_pages} pages", "save the one to show as a file of its own"
                )
            size = _pixel_size(file)
            return _as_array(ImageOps.exif_transpose(file)), size, None
    except SimulationDataError:
        raise
    except Exception as error:  # Pillow's readers raise any error for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SimulationDataError(
            path, f"cannot be read as an image ({reason})", "give a PNG, TIFF, JPEG or nrrd"
        ) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence warnings of Pillow's readers, and libtiff's C output on standard error."""
    with warnings.catch_warnings(), _silent_stderr():
        warnings.simplefilter("ignore")
        yield


def _as_array(image: Image) -> npt.NDArray[Any]:
    """Convert grey images to (height, width), all others to colours."""
    if image.mode.startswith(("I", "F", "L")) and "A" not in image.mode and image.mode != "LAB":
        return np.array(image)
    if image.mode == "1":
        return np.array(image.convert("L"))
    see_through = "A" in image.mode or "transparency" in image.info
    return np.array(image.convert("RGBA" if see_through else "RGB"))


def _pixel_size(image: Image) -> Point | None:
    """Return width and height of a pixel, µm, if the image states them."""
    tags = getattr(image, "tag_v2", {})
    description = str(tags.get(_DESCRIPTION, ""))
    if "<OME" in description:
        return _ome_size(description)
    per_unit = image.info.get("resolution")  # a TIFF's, with no absolute unit
    if description.startswith("ImageJ=") and per_unit and tags.get(_RESOLUTION_UNIT) == 1:
        named = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
        um = _UM.get(named.get("unit", "").strip().lower())
        return None if um is None else _inverse(per_unit, um)
    per_inch = image.info.get("dpi")
    if per_inch is None or any(abs(float(n) - p) < 0.01 * p for n in per_inch for p in _FOR_PRINT):
        return None
    return _inverse(per_inch, _UM["inch"])


def _inverse(per_unit: Any, um: float) -> Point | None:
    across, up = (float(n) for n in per_unit)
    return (um / across, um / up) if across > 1e-9 and up > 1e-9 else None


def _ome_size(description: str) -> Point | None:
    """Return the physical size of the pixels of an OME-TIFF.

    Format: https://docs.openmicroscopy.org/ome-model/latest/ome-tiff/specification.html
    """
    try:
        tree = ElementTree.fromstring(description)
    except ElementTree.ParseError as error:
        raise ValueError(f"its OME-XML is damaged: {error}") from error
    for element in tree.iter():
        sizes = [element.get(f"PhysicalSize{axis}") for axis in "XY"]
        if element.tag.endswith("Pixels") and all(sizes):
            units = (element.get(f"PhysicalSize{axis}Unit", "µm") for axis in "XY")
            ums = [_UM.get(unit) for unit in units]
            if None in ums:
                return None
            across, up = (
                float(str(s)) * um for s, um in zip(sizes, ums, strict=True) if um is not None
            )
            return across, up
    return None


def _read_nrrd(path: Path) -> tuple[npt.NDArray[Any], Point | None, Point | None]:
    """Read a 2-D nrrd, or one of colours. Its first axis is x, its second y."""
    data, fields = read_image(path)
    colours = data.ndim == 3 and data.shape[0] in (3, 4) and data.dtype == np.uint8
    if data.ndim != 2 and not colours:
        raise SimulationDataError(
            path,
            f"has the shape {data.shape}, no image",
            "give a 2-D nrrd, or read it as a voxel flatmap",
        )
    data = np.moveaxis(data, 0, -1) if colours else data
    steps, first = _nrrd_steps(path, fields)
    pixels = np.swapaxes(data, 0, 1)  # (y, x)
    pixels = pixels[::-1] if steps is None or steps[1] > 0 else pixels
    if steps is None:
        return pixels, None, None
    pixels = pixels[:, ::-1] if steps[0] < 0 else pixels
    if first is None:
        return pixels, (abs(steps[0]), abs(steps[1])), None
    ends = [
        (float(o), float(o) + step * (n - 1))
        for o, step, n in zip(first, steps, data.shape[:2], strict=True)
    ]
    corner = tuple(min(end) - abs(step) / 2 for end, step in zip(ends, steps, strict=True))
    return pixels, (abs(steps[0]), abs(steps[1])), (corner[0], corner[1])


def _nrrd_steps(path: Path, fields: dict[str, Any]) -> tuple[Point | None, Point | None]:
    """Return the steps between samples along x and y, and the first position, um, if known."""
    steps = _steps_in_its_unit(fields)
    if steps is None:
        return None, None
    um, first = um_per_unit(path, fields, 2), fields.get("space origin")
    origin = None if first is None else (um * float(first[0]), um * float(first[1]))
    return (um * steps[0], um * steps[1]), origin


def _steps_in_its_unit(fields: dict[str, Any]) -> Point | None:
    """Return the steps between samples along x and y in the file's unit; None if unknown."""
    if "space directions" in fields:
        rows = [row for row in fields["space directions"] if row is not None]
        matrix = np.array([row for row in rows if np.isfinite(row).all()], dtype=np.float64)
        if matrix.shape != (2, 2) or matrix[0, 1] or matrix[1, 0] or not matrix.diagonal().all():
            return None
        return float(matrix[0, 0]), float(matrix[1, 1])
    steps = np.asarray(fields.get("spacings", ()), dtype=np.float64)
    steps = steps[np.isfinite(steps)]
    return (float(steps[0]), float(steps[1])) if len(steps) == 2 and steps.all() else None


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Suppress the process's standard error during the block.

    For calls that also raise the error. Without a standard error stream, for example without a
    console, nothing changes.
    """
    with held(_one_at_a_time):
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            kept = os.dup(_STDERR)
        except OSError:
            yield
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, _STDERR)
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(nothing)
            os.close(kept)
