"""Options of the look of a picture, checked on creation, to and from a plain dict."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.limits import usable_limits

Background = Literal["white", "black", "transparent"]

_LARGEST_SIDE = 16384
_SMALLEST_SIDE = 16
_MOST_PIXELS = 40_000_000
"""Slightly more than a frame of 8K video; drawing a picture takes 40 bytes per pixel."""
_MARK = re.compile(r"(?P<start>[^:]+):(?P<stop>[^:]+)(:(?P<label>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Mark:
    """An interval of time worth showing, for example when a stimulus was on.

    Parameters
    ----------
    start, stop
        Half-open interval, ms of simulation time.
    label
        Name of the mark in the picture; can be empty.

    Raises
    ------
    ValueError
        If a time is not finite or `stop` is not after `start`.

    Examples
    --------
    >>> Mark.parse("3000:3100:whisker")
    Mark(start=3000.0, stop=3100.0, label='whisker')
    """

    start: float
    stop: float
    label: str = ""

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            object.__setattr__(self, name, _finite(f"a mark's {name}", getattr(self, name)))
        if self.stop <= self.start:
            raise ValueError(
                f"the mark {self.label!r} from {self.start:g} to {self.stop:g} ms is empty:"
                " its stop must be after its start"
            )
        object.__setattr__(self, "label", str(self.label))

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read ``START:STOP`` or ``START:STOP:LABEL``, times in ms.

        Raises
        ------
        ValueError
            If the text does not have this form.
        """
        match = _MARK.fullmatch(text)
        if match is None:
            raise ValueError(f"mark {text!r} is not START:STOP:LABEL, as in 3000:3100:whisker")
        try:
            start, stop = float(match["start"]), float(match["stop"])
        except ValueError:
            raise ValueError(
                f"mark {text!r}: START and STOP must be numbers of ms, as in 3000:3100:whisker"
            ) from None
        return cls(start, stop, match["label"] or "")


@dataclass(frozen=True, kw_only=True)
class MovieStyle:
    """Every option of the look of a picture or movie.

    Parameters
    ----------
    size
        (width, height) of a frame, px.
    metric
        Metric to show, a name in `napari_hexrecruit.metrics.METRICS`, or in ``DERIVED`` for a cube
        with a variable of an analysis.
    clim
        Values of the first and the last colour, the same in every frame; equal values are moved
        apart by a ten-thousandth. None: as in the viewer, `napari_hexrecruit.limits.first_limits`:
        0 to 50 % for recruitment, 0 to the 99th percentile of the cube for others, and symmetric
        for a metric centred on 0.
    colormap
        Name of a matplotlib colormap. None: the metric's own, viridis, or a diverging one for a
        metric centred on 0.
    background
        ``"white"``, ``"black"`` or ``"transparent"``, which gives frames an alpha channel.
    average
        Odd number of bins; each frame shows the mean over this many bins around its own. At the
        ends of the cube, the mean over the bins that exist.
    opacity
        Opacity of the hexagons, 0 to 1; below 1, an image under them shows through.
    fit
        Area that the picture shows: ``"hexagons"``, ``"all"`` (also the image and the outlines) or
        (x_min, x_max, y_min, y_max) in flat space.
    colorbar
        Show the colour bar, with its label and units.
    colorbar_label
        Label instead of the metric's own.
    timestamp
        Show the time.
    time_format
        Format of the time with the fields ``start`` and ``stop`` of the bin in ms, for example
        ``"{start:.0f} to {stop:.0f} ms"``. None: the start, with as many decimals as it needs.
    border
        Draw the edge of the sheet. None: only if the colour of 0 is so close to the background that
        the sheet would not stand out.
    scale_bar
        Show a scale bar if the cube's flat space has a unit of length.
    title
        Title above the picture.
    panel_titles
        Titles above the cubes, one each, when several are shown side by side.
    marks
        Intervals to mark.
    strip
        Show the mean of the population over time under the map, with a cursor.
    font_scale
        Factor of the size of all text, which otherwise follows the size of the frame.

    Raises
    ------
    ValueError
        If an option is out of range; the message states the allowed values.

    Examples
    --------
    >>> style = MovieStyle(size=(500, 400), clim=(0, 50), marks=[(3000, 3100, "whisker")])
    >>> MovieStyle.from_dict(style.to_dict()) == style
    True
    """

    size: tuple[int, int] = (1280, 720)
    metric: str | None = None
    clim: tuple[float, float] | None = None
    colormap: str | None = None
    background: Background = "white"
    average: int = 1
    opacity: float = 1.0
    fit: str | tuple[float, float, float, float] = "hexagons"
    colorbar: bool = True
    colorbar_label: str | None = None
    timestamp: bool = True
    time_format: str | None = None
    border: bool | None = None
    scale_bar: bool = True
    title: str = ""
    panel_titles: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    strip: bool = False
    font_scale: float = 1.0

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "size", _size(self.size))
        set_(self, "clim", None if self.clim is None else _limits(self.clim))
        _one_of("background", self.background, get_args(Background))
        set_(self, "average", _odd(self.average))
        set_(self, "opacity", _within("opacity", self.opacity, 0.0, 1.0))
        set_(self, "fit", _fit(self.fit))
        _check_time_format(self.time_format)
        set_(self, "panel_titles", _texts(self.panel_titles))
        set_(self, "marks", tuple(_mark(mark) for mark in self.marks))
        set_(self, "font_scale", _within("font_scale", self.font_scale, 0.1, 10.0))

    def replace(self, **options: Any) -> MovieStyle:
        """Return a style with some options changed.

        Raises
        ------
        ValueError
            If a name is not an option; the message suggests a similar one.
        """
        _check_names(options)
        return dataclasses.replace(self, **options)

    def to_dict(self) -> dict[str, Any]:
        """Return options that differ from the defaults, as numbers, text, lists and dicts only."""
        options = ((f.name, getattr(self, f.name), f.default) for f in dataclasses.fields(self))
        return {name: _plain(value) for name, value, default in options if value != default}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> MovieStyle:
        """Make a style from the result of `to_dict`.

        Raises
        ------
        ValueError
            If a name is not an option, or a value is not allowed.
        """
        return cls().replace(**options)


def _check_names(options: Mapping[str, Any]) -> None:
    known = [field.name for field in dataclasses.fields(MovieStyle)]
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
            raise ValueError(f"{name!r} is not an option of a picture: {hint}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mark):
        return dataclasses.asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _mark(mark: Any) -> Mark:
    if isinstance(mark, Mark):
        return mark
    if isinstance(mark, str):
        return Mark.parse(mark)
    try:
        return Mark(**mark) if isinstance(mark, Mapping) else Mark(*mark)
    except TypeError:
        raise ValueError(f"mark {mark!r} is not (start, stop, label)") from None


def _size(size: Any) -> tuple[int, int]:
    values = _sequence("size", size, 2)
    whole = all(isinstance(v, int) or float(v).is_integer() for v in values)
    if not whole or not all(_SMALLEST_SIDE <= v <= _LARGEST_SIDE for v in values):
        raise ParameterError(
            Parameter("size"),
            f"must be (width, height) of {_SMALLEST_SIDE} to {_LARGEST_SIDE} px, not {size!r}",
        )
    if values[0] * values[1] > _MOST_PIXELS:
        raise ValueError(
            f"size {size!r} has {values[0] * values[1]:,} px, and {_MOST_PIXELS:,} are the most:"
            " give a smaller one, or draw an .svg or .pdf"
        )
    return int(values[0]), int(values[1])


def _limits(clim: Any) -> tuple[float, float]:
    low, high = (_finite("a colour limit", value) for value in _sequence("clim", clim, 2))
    if low > high:
        raise ParameterError(
            Parameter("clim"), f"must be (low, high) with low below high, not ({low:g}, {high:g})"
        )
    return usable_limits(low, high)


def _fit(fit: Any) -> str | tuple[float, float, float, float]:
    if isinstance(fit, str):
        return _one_of("fit", fit, ("hexagons", "all"))
    x0, x1, y0, y1 = (_finite("a bound of fit", value) for value in _sequence("fit", fit, 4))
    if x0 >= x1 or y0 >= y1:
        raise ParameterError(Parameter("fit"), f"must be (x_min, x_max, y_min, y_max), not {fit!r}")
    return x0, x1, y0, y1


def _odd(average: Any) -> int:
    if isinstance(average, bool) or int(average) != average or average < 1 or average % 2 == 0:
        raise ParameterError(
            Parameter("average"), f"must be an odd number of bins (1, 3, 5, ...), not {average!r}"
        )
    return int(average)


def _check_time_format(text: str | None) -> None:
    if text is None:
        return
    try:
        text.format(start=0.0, stop=0.0)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ValueError(
            f"time_format {text!r} cannot be used ({error}): its fields are start and stop,"
            " as in '{start:.0f} to {stop:.0f} ms'"
        ) from None


def _texts(texts: Any) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(str(text) for text in texts)


def _one_of(what: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ParameterError(Parameter(what), f"must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _sequence(what: str, values: Any, n: int) -> Sequence[Any]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or len(values) != n:
        raise ParameterError(Parameter(what), f"must be {n} numbers, not {values!r}")
    return list(values)


def _finite(what: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParameterError(Parameter(what), f"must be a number, not {value!r}") from None
    if not math.isfinite(number):
        raise ParameterError(Parameter(what), f"must be finite, not {value!r}")
    return number


def _within(what: str, value: Any, low: float, high: float) -> float:
    number = _finite(what, value)
    if not low <= number <= high:
        raise ParameterError(Parameter(what), f"must be {low:g} to {high:g}, not {value!r}")
    return number
