"""Images in flat space: pixels and their position."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError

Floats = npt.NDArray[np.float64]
Point = tuple[float, float]


@dataclass(frozen=True)
class Nudge:
    """Movement of an image from its original position.

    Parameters
    ----------
    dx, dy
        Shift to the right and up, in flat units.
    rotation_deg
        Rotation counter-clockwise around the centre of the image.
    scale
        Factor on its size, around its centre.

    Raises
    ------
    ValueError
        If a number is not finite, or the scale is not greater than 0.
    """

    dx: float = 0.0
    dy: float = 0.0
    rotation_deg: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            object.__setattr__(self, name, _finite(name, value))
        if self.scale <= 0:
            raise ParameterError(Parameter("scale"), f"must be greater than 0, not {self.scale:g}")


@dataclass(frozen=True, eq=False)
class FlatImage:
    """An image with a position in flat space. Row 0 is its top: the row with the largest y.

    Parameters
    ----------
    pixels
        (height, width) numbers or booleans, or (height, width, 3 or 4) uint8 colours.
    pixel_size
        Width and height of a pixel in flat units; one number for square pixels.
    origin
        Flat (x, y) of the image's lower left *corner*: the outer corner of the pixel in the last
        row and first column.
    rotation_deg
        Rotation counter-clockwise around that corner.
    units
        Unit of flat space: ``um``, ``pixel`` or ``unknown``.
    nudge
        Movement after that; see `nudged`.

    Raises
    ------
    ValueError
        If the pixels have another shape, a number is not finite, or a size is not greater than 0.

    Examples
    --------
    >>> image = FlatImage(np.array([[1, 2], [3, 4]]), pixel_size=10.0, origin=(100.0, 0.0))
    >>> image.extent
    (100.0, 120.0, 0.0, 20.0)
    >>> image.pixel_at([105.0], [15.0])  # the upper left pixel is in row 0
    (array([0]), array([0]))
    """

    pixels: npt.NDArray[Any]
    pixel_size: Point | float
    origin: Point = (0.0, 0.0)
    rotation_deg: float = 0.0
    units: str = "um"
    nudge: Nudge = field(default_factory=Nudge)

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        colours = pixels.ndim == 3 and pixels.shape[2] in (3, 4) and pixels.dtype == np.uint8
        if (
            not (pixels.ndim == 2 or colours)
            or 0 in pixels.shape
            or pixels.dtype.kind not in "buif"
        ):
            raise ValueError(
                "pixels must be (height, width) numbers or (height, width, 3 or 4) uint8, not"
                f" {pixels.shape} {pixels.dtype}"
            )
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "pixel_size", checked_pixel_size(self.pixel_size))
        object.__setattr__(self, "origin", checked_point("origin", self.origin))
        object.__setattr__(self, "rotation_deg", _finite("rotation_deg", self.rotation_deg))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def affine(self) -> Floats:
        """(3, 3), (column, row, 1) to flat (x, y, 1); whole numbers are pixel centres."""
        height, width = self.shape
        dx, dy = checked_pixel_size(self.pixel_size)
        to_corner = np.array([[dx, 0, 0.5 * dx], [0, -dy, (height - 0.5) * dy], [0, 0, 1.0]])
        placed = _shifted(*self.origin) @ _turned(self.rotation_deg) @ to_corner
        x, y, _ = placed @ [(width - 1) / 2.0, (height - 1) / 2.0, 1.0]
        nudge = self.nudge
        around = np.diag([nudge.scale, nudge.scale, 1.0]) @ _turned(nudge.rotation_deg)
        moved: Floats = _shifted(x + nudge.dx, y + nudge.dy) @ around @ _shifted(-x, -y) @ placed
        return moved

    @property
    def affine_yx(self) -> Floats:
        """(3, 3), (row, column, 1) to flat (y, x, 1): the ``affine`` of a napari layer."""
        return np.asarray(self.affine[np.ix_([1, 0, 2], [1, 0, 2])])

    @property
    def corners(self) -> Floats:
        """(4, 2) outer corners of the image, clockwise from that of the first stored pixel."""
        height, width = self.shape
        right, bottom = width - 0.5, height - 0.5
        column, row = [-0.5, right, right, -0.5], [-0.5, -0.5, bottom, bottom]
        return np.asarray((self.affine @ np.array([column, row, [1.0] * 4]))[:2].T)

    @property
    def is_turned(self) -> bool:
        """Whether its sides are not along x and y."""
        along, across = self.affine[0, :2]
        return not (along > 0 and abs(across) < 1e-12 * along)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """(x_min, x_max, y_min, y_max) of the image's borders.

        Raises
        ------
        ValueError
            If the image is rotated: see `upright`.
        """
        if self.is_turned:
            raise ValueError("a turned image has no extent: take that of its upright()")
        (x0, y1), _, (x1, y0), _ = self.corners.tolist()
        return x0, x1, y0, y1

    def nudged(
        self, dx: float = 0.0, dy: float = 0.0, rotation_deg: float = 0.0, scale: float = 1.0
    ) -> FlatImage:
        """Return the image moved from its original position; an earlier nudge is replaced.

        Parameters
        ----------
        dx, dy, rotation_deg, scale
            As in `Nudge`.
        """
        return replace(self, nudge=Nudge(dx, dy, rotation_deg, scale))

    def pixel_at(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return row and column of the pixel at flat positions.

        Parameters
        ----------
        x, y
            (n_points,) positions.

        Returns
        -------
        row, column : (n_points,) intp
            -1 in both for positions outside the image and for NaN. A position between two pixels
            belongs to the one on the right, or below.
        """
        points = np.stack([np.asarray(x, float), np.asarray(y, float), np.ones(np.shape(x))])
        column, row = (np.linalg.inv(self.affine) @ points)[:2]
        height, width = self.shape
        row, column = np.floor(row + 0.5), np.floor(column + 0.5)
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        rows, columns = np.where(inside, row, -1), np.where(inside, column, -1)
        return rows.astype(np.intp), columns.astype(np.intp)

    def upright(self) -> FlatImage:
        """Return the image with its sides along x and y, and without a nudge.

        A rotated image is resampled to square pixels, each with the value of the nearest original
        one. Outside the original, colours are transparent, numbers NaN, booleans false.
        """
        low, high = self.corners.min(axis=0), self.corners.max(axis=0)
        corner = float(low[0]), float(low[1])
        if not self.is_turned:
            across, up = ((high - low) / self.shape[::-1]).tolist()
            return FlatImage(self.pixels, (across, up), corner, units=self.units)
        size = math.sqrt(abs(np.linalg.det(self.affine[:2, :2])))
        width, height = (max(1, math.ceil(n)) for n in (high - low) / size)
        x = low[0] + size * (np.arange(width) + 0.5)
        y = low[1] + size * (height - np.arange(height) - 0.5)
        xs, ys = (axis.ravel() for axis in np.meshgrid(x, y))
        row, column = self.pixel_at(xs, ys)
        drawn = _with_nothing(self.pixels)[row, column].reshape(height, width, -1)
        drawn = drawn[..., 0] if self.pixels.ndim == 2 else drawn
        return FlatImage(drawn, size, corner, units=self.units)

    def as_underlay(
        self, limits: tuple[float, float] | None = None
    ) -> tuple[npt.NDArray[np.uint8], tuple[float, float, float, float]]:
        """Return colours and extent, for ``under`` of `render_frames` and `write_movie`.

        Parameters
        ----------
        limits
            Numbers that become black and white; by default the smallest and largest.

        Returns
        -------
        colours : (height, width, 3 or 4) uint8
            Numbers become grey, NaN transparent; true becomes light grey, false transparent.
        extent : (x_min, x_max, y_min, y_max)
        """
        upright = self.upright()
        return _colours(upright.pixels, limits), upright.extent


def checked_pixel_size(size: Any) -> Point:
    """Return width and height of a pixel; refuse other values."""
    pair = (size, size) if np.ndim(size) == 0 else tuple(size)
    if len(pair) != 2:
        raise ParameterError(
            Parameter("pixel_size"), f"must be one number or two (x, y), not {size!r}"
        )
    width, height = (_finite("pixel_size", value) for value in pair)
    if width <= 0 or height <= 0:
        raise ParameterError(
            Parameter("pixel_size"),
            f"must be greater than 0, not {size!r}: give flat units a pixel",
        )
    return width, height


def checked_point(name: str, point: Any) -> Point:
    """Return a point; refuse anything but two finite numbers."""
    if np.shape(point) != (2,):
        raise ParameterError(Parameter(name), f"must be two numbers (x, y), not {point!r}")
    return _finite(name, point[0]), _finite(name, point[1])


def _finite(name: str, value: Any) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not number or not math.isfinite(value):
        raise ParameterError(Parameter(name), f"must be a finite number, not {value!r}")
    return float(value)


def _shifted(x: float, y: float) -> Floats:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turned(degrees: float) -> Floats:
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _with_nothing(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Append an empty row and column to the pixels, which index -1 reads."""
    if pixels.ndim == 3:
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        pixels = pixels if pixels.shape[2] == 4 else np.concatenate([pixels, opaque], axis=2)
        return np.pad(pixels, ((0, 1), (0, 1), (0, 0)))
    if pixels.dtype.kind == "b":
        return np.pad(pixels, (0, 1))
    return np.pad(pixels.astype(np.result_type(pixels, np.float32)), (0, 1), constant_values=np.nan)


def _colours(pixels: npt.NDArray[Any], limits: tuple[float, float] | None) -> npt.NDArray[np.uint8]:
    if pixels.ndim == 3:
        return pixels
    if pixels.dtype.kind == "b":
        pixels, limits = np.where(pixels, 0.8, np.nan), (0.0, 1.0)
    known = np.isfinite(pixels)
    values = np.where(known, pixels, 0.0)
    low, high = limits or (
        (float(pixels[known].min()), float(pixels[known].max())) if known.any() else (0.0, 1.0)
    )
    grey = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0) * 255.0
    parts = [np.round(grey).astype(np.uint8)] * 3 + [np.where(known, 255, 0).astype(np.uint8)]
    return np.stack(parts, axis=-1)
