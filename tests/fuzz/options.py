"""Odd values of options on the command line."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["options"]

_NUMBERS = (
    *("nan", "inf", "-inf", "0", "-1", "1e-300", "1e300", "1e-9", "1e9", "0.1", "7", "50", "1e18"),
    *("99999999999999999999", "x", "", "1,5", "٣", "0x10", "1e400", "5e-324", "33.3", "2147483648"),
)
_WHOLE = ("0", "-1", "1", "3", "7", "101", "2", "1000000", "99999999999999999999", "nan", "x", "")
_TEXTS = (
    *("", " ", "\n", "\x1b[31m", "é", "\ud800", "\u202e", "x" * 5000, "{", "{start}", "{0}", "%d"),
    *(
        "{start:.0f}",
        "{stop!r:>99999999999}",
        "{start.__class__}",
        "viridis",
        "nope",
        "recruitment",
    ),
    *(
        "rate",
        "n_recruited",
        "cortex",
        "everyone",
        "white",
        "black",
        "transparent",
        "none",
        "$x^2$",
    ),
    *(
        "$\\frac{",
        "{start:{stop}}",
        "{index}",
        "{index:999999999}",
        "../x-{index}",
        "time",
        "{hex}",
    ),
)
_RULES = (
    *(
        "layer=1",
        "layer=",
        "=1",
        "layer",
        "layer=1:",
        "layer=:3",
        "layer=9",
        "layer=a,b",
        "x=1:2:3",
    ),
    *("synapse_class=EXC", "synapse_class=1:2", "nope=1", "x=nan:inf", "layer=1,1,1", "layer==1"),
    *(
        "x=1e999:2",
        "ss_flat_x=-1e300:1e300",
        "layer=\n",
        "layer=" + ",".join(map(str, range(3000))),
    ),
)
_MARKS = (
    "10:20:a",
    "20:10:a",
    "nan:inf:a",
    "10",
    "::",
    "a:b:c",
    "10:20:",
    "1e300:1e301:$\\x$",
    ":::",
)
_SOURCES = (
    "",
    ".",
    "/",
    "absent",
    "out",
    "pipe",
    "\0",
    "x" * 300,
    "nodes.h5",
    "/dev/null",
    "other.h5",
)

_numbers, _texts = st.sampled_from(_NUMBERS), st.sampled_from(_TEXTS)
_whole, _sources = st.sampled_from(_WHOLE), st.sampled_from(_SOURCES)


def _one(values: st.SearchStrategy[str], *names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.sampled_from(names), values)


def _two(values: st.SearchStrategy[str], *names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.sampled_from(names), values, values)


_sides = st.sampled_from(
    ("0", "-5", "1", "2", "15", "16", "99", "100", "301", "10000", "100000", "x")
)

options = st.one_of(
    _one(_numbers, "--radius", "--bin", "--start", "--stop", "--step", "--at", "--dpi", "--fps"),
    _one(_numbers, "--dilation", "--opacity", "--font-scale", "--under-pixel-size"),
    _one(_numbers | st.floats().map(repr), "--radius", "--bin", "--start", "--stop", "--at"),
    _one(_whole, "--min-neurons", "--average"),
    _one(_texts, "--colormap", "--metric", "--background", "--title", "--panel-title"),
    _one(_texts, "--colorbar-label", "--time-format", "--pattern", "--population", "--node-set"),
    _one(st.sampled_from(_RULES) | st.text(max_size=8), "--where"),
    _one(st.sampled_from(_MARKS) | st.text(max_size=8), "--mark"),
    _one(_texts | _sources, "--regions"),
    _one(_sources, "--under", "--flatmap", "--column-atlas", "--spikes", "--circuit", "--run-file"),
    _two(_numbers, "--clim", "--under-origin"),
    _two(_sides, "--size"),
    _two(_texts | st.sampled_from(("x", "y", "layer", "synapse_class")), "--flat"),
    st.sampled_from((("--strip",), ("--cumulative",), ("--stimuli",), ("--no-colorbar",))),
    st.sampled_from((("--no-timestamp",), ("--no-scale-bar",), ("--overwrite",), ("--nope",))),
)
