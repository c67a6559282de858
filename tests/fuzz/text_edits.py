"""Changes to files of lines: YAML, heads of nrrd files, tables."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["edited_lines", "nrrd_edits", "table_edits", "whole_texts", "yaml_edits"]

_YAML_VALUES = (
    *("null", "~", "[]", "{}", "[1, 2]", "{a: 1}", "yes", "NaN", ".inf", "-.inf", "1e999", "''"),
    *(
        "!!python/object/apply:os.system ['touch pwned']",
        "!!python/name:os.system",
        "!!binary aGk=",
    ),
    *("!!timestamp 2001-01-01", "2001-01-01", "!!set {a}", "&a [*a]", "*nothing", "!x 1", "0o17"),
    *("!!python/tuple [1, 2]", "[" * 200 + "]" * 200, "[" * 5000, "{" * 3000, "'unclosed", "- - -"),
    *("9" * 400, "-1", "0", "50", "1e-300", "1e300", "true", "cortex", "layer=1", "'layer=9:'"),
    *("[layer=1, 5]", "x y", "\t", "| \n  text", "? a\n: b", "1:2:3", "[cortex]", "{a: b", "'\0'"),
    *("'\\ud800'", '"\\ud800"', '"\\x1b[2J"', "!!float x", "!!int x", "1_000", "0x_", "<<: 1"),
    *("!!int ''", "!!float ''", "!!timestamp 'x'", "!!bool 'x'", "99999-99-99", "2001-13-45"),
)
_YAML_KEYS = (
    *("command", "radius", "bin_ms", "start", "stop", "where", "population", "node_set", "flat"),
    *("min_neurons", "flatmap", "column_atlas", "spikes", "circuit", "size", "clim", "fps", "sim"),
    *("output", "overwrite", "ctx", "debug", "marks", "title", "colormap", "1", "null", "[a]"),
    *("? [a, b]\n", "<<", "panel_titles", "under", "metric", "average", "help", "run_file"),
)
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 9) + "]\n" for i in range(8)
)
_NRRD_FIELDS = (
    *("type", "dimension", "sizes", "encoding", "endian", "space", "space dimension", "kinds"),
    *("space directions", "space origin", "spacings", "data file", "line skip", "byte skip"),
    *("content", "units", "thicknesses", "labels", "space units", "measurement frame", "min"),
)
_NRRD_VALUES = (
    *("", "0", "-1", "1", "2", "3", "4", "5", "99999999999999999999", "1 1 1", "2 4 2 6", "0 0 0"),
    *(
        "2 100000 100000 100000",
        "1000000 1000000 1000000",
        "-2 4 2 6",
        "2 4 2",
        "2 4 2 6 7",
        "a b c",
    ),
    *("2147483648 2 2 2", "2 65536 65536 65536", "4294967296 4294967296 4294967296 4294967296"),
    *("int8", "uint64", "double", "float", "block", "text", "short", "string", "unsigned char"),
    *("raw", "gzip", "bzip2", "txt", "hex", "ascii", "zrl", "little", "big", "none", "nan nan nan"),
    *("(1,0,0) (0,1,0) (0,0,1)", "none (10,0,0) (0,10,0) (0,0,-10)", "none none none none"),
    *(
        "none (0,0,0) (0,0,0) (0,0,0)",
        "none (nan,0,0) (0,nan,0) (0,0,nan)",
        "(1,2",
        "(0,0)",
        "1e999",
    ),
    *("none (1e-30,0,0) (0,1e-30,0) (0,0,1e-30)", "none (1,1,0) (0,1,0) (0,0,1)", "left-posterior"),
    *("other.raw", "/etc/passwd", "LIST", "LIST 2\na\nb", "x%d.raw 1 10 1", "/dev/zero", "pipe"),
    *("RAS", "3D-right-handed", "domain domain domain", "1e38 1e38 1e38", "none 1 1 1", "none"),
)
_TABLE_VALUES = ("NULL", "", "x", "1.5", "-1", "nan", "9" * 30, '"', "'", "a b", "#", "\0", "1e999")

_line = st.integers(0, 255)
_common = (
    st.tuples(st.just("drop"), _line),
    st.tuples(st.just("twin"), _line, _line),
    st.tuples(st.just("swap"), _line, _line),
    st.tuples(st.just("text"), _line, st.text(max_size=20)),
    st.tuples(st.just("indent"), _line, st.sampled_from((" ", "\t", "  - ", "- ", "#", "\ufeff"))),
)


def _edits(keys: tuple[str, ...], values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    key, value = st.sampled_from(keys), st.sampled_from(values)
    return st.one_of(
        st.tuples(st.just("value"), _line, value),
        st.tuples(st.just("value"), _line, value),
        st.tuples(st.just("line"), _line, key, value),
        st.tuples(st.just("line"), _line, key, value),
        *_common,
    )


whole_texts = st.tuples(st.just("whole"), st.sampled_from((_BOMB, "", *_YAML_VALUES)))
yaml_edits = _edits(_YAML_KEYS, _YAML_VALUES) | st.just(("whole", _BOMB)) | st.just(("whole", ""))
nrrd_edits = _edits(_NRRD_FIELDS, _NRRD_VALUES)
table_edits = st.one_of(
    st.tuples(st.just("cell"), _line, _line, st.sampled_from(_TABLE_VALUES)),
    st.tuples(st.just("cell"), _line, _line, st.text(max_size=4)),
    *_common,
)


def edited_lines(text: str, edits: list[list[Any]]) -> str:
    """The text after all edits."""
    lines = text.split("\n")
    for name, *args in edits:
        if name == "whole":
            lines = args[0].split("\n")
            continue
        at = args[0] % max(len(lines), 1)
        if name == "line":
            lines.insert(at, f"{args[1]}: {args[2]}")
        elif lines:
            _edit_line(lines, at, name, args)
    return "\n".join(lines)


def _edit_line(lines: list[str], at: int, name: str, args: list[Any]) -> None:
    if name == "drop":
        del lines[at]
    elif name == "twin":
        lines.insert(args[1] % len(lines), lines[at])
    elif name == "swap":
        other = args[1] % len(lines)
        lines[at], lines[other] = lines[other], lines[at]
    elif name == "text":
        lines[at] = args[1]
    elif name == "indent":
        lines[at] = args[1] + lines[at]
    elif name == "value":
        lines[at] = f"{lines[at].partition(':')[0]}: {args[1]}"
    elif name == "cell":
        cells = lines[at].split(" ")
        cells[args[1] % len(cells)] = args[2]
        lines[at] = " ".join(cells)
