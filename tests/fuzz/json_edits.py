"""Changes to the tree of a JSON file, and to the way it is written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["json_edits", "json_edits_of", "rewritten"]

WORDS = (
    *("run", "tstop", "dt", "network", "output", "output_dir", "spikes_file", "node_set"),
    *("node_sets_file", "node_sets", "inputs", "manifest", "networks", "nodes", "edges"),
    *("nodes_file", "node_types_file", "populations", "type", "cortex", "everyone", "version"),
    *("components", "provenance", "atlas_dir", "target_simulator", "simulation", "duration"),
    *("population", "node_id", "gids", "layer", "synapse_class", "$regex", "$gt", "reports"),
    *("delay", "module", "input_type", "random_seed", "tstart", "$gte", "$lt", "configdir"),
    *("pixel_size", "origin", "rotation_deg", "units", "nudge", "napari_hexrecruit"),
)
_PATHS = (
    *("", ".", "..", "/", "/dev/zero", "/dev/stdin", "/proc/self/mem", "/etc/passwd", "\0"),
    *("nodes.h5", "circuit_config.json", "simulation_config.json", "node_sets.json", "output"),
    *("output/spikes.h5", "./", "a/" * 3000, "x" * 300, "${X}", "$X", "${configdir}", "$configdir"),
    *("pipe", "~", "file:///etc/passwd", "http://127.0.0.1:1/", "\ud800", "\u202e", "\x1b[31m"),
)
_RAW = (
    *("null", "true", "false", "{}", "[]", "NaN", "Infinity", "-Infinity", "1e999", "-1e999"),
    *("0", "-1", "-0.0", "1e-320", "1e308", "1.5", "100", "9" * 400, "-" + "9" * 30, "9" * 5000),
    *("18446744073709551616", "9223372036854775807", "[" * 100 + "]" * 100),
    *("[" * 100_000, "[" * 5_000 + "]" * 5_000, '{"a":' * 300 + "1" + "}" * 300),
    *('{"a":' * 900 + "1" + "}" * 900, '"' + "x" * 100_000 + '"', "[null]", '[""]', "{"),
    *('{"$regex": "(a+)+$"}', '{"$regex": "("}', '{"$gt": "a"}', '{"$lt": null}', '{"$x": 1}'),
    *('{"node_id": [-1, 1e300, 99999999999999999999]}', '["everyone"]', '["cortex", null]'),
    *('1, "run": {}', '"a", "a": 1', "1}", "'a'", "undefined", "0x10", "1_000", "// no"),
    *('{"cortex": null}', '{"cortex": {"type": 5}}', '[{"nodes_file": "nodes.h5"}]', "[[]]", "{}}"),
)
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7")
_MARK = "@@raw{}@@"

_path = st.lists(st.integers(0, 11), min_size=0, max_size=5)


def json_text(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A value as text; no JSON, some of them."""
    word = st.sampled_from(words)
    tree = st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | word,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(word, inner, max_size=3),
        max_leaves=8,
    )
    return st.one_of(
        st.sampled_from(_RAW),
        st.sampled_from(_PATHS + words).map(json.dumps),
        st.floats().map(json.dumps),
        st.integers(-(2**70), 2**70).map(json.dumps),
        st.text(max_size=8).map(json.dumps),
        tree.map(json.dumps),
    )


def json_edits_of(*words: str) -> st.SearchStrategy[Any]:
    """Changes to a file in which these words mean something."""
    key = st.one_of(st.sampled_from(words), st.text(max_size=4), st.sampled_from(_PATHS[:12]))
    text = json_text(words)
    return st.one_of(
        st.tuples(st.just("put"), _path, text),
        st.tuples(st.just("put"), _path, text),
        st.tuples(st.just("add"), _path, key, text),
        st.tuples(st.just("drop"), _path),
        st.tuples(st.just("rename"), _path, key),
        st.tuples(st.just("wrap"), _path),
        st.tuples(st.just("swap"), _path, _path),
        st.tuples(st.just("encode"), st.sampled_from(_ENCODINGS)),
        st.tuples(st.just("nulls"), st.integers(0, 200)),
    )


json_edits = json_edits_of(*WORDS)


def rewritten(content: bytes, edits: list[list[Any]]) -> bytes:
    """The file after all edits; JSON no more after some of them."""
    tree, raws, encoding, nulls = json.loads(content), [], "utf-8", None
    for name, *args in edits:
        if name == "encode":
            encoding = args[0]
        elif name == "nulls":
            nulls = args[0]
        else:
            tree = _edited(tree, name, args, raws)
    text = json.dumps(tree, indent=1)
    for i in reversed(range(len(raws))):
        text = text.replace(json.dumps(_MARK.format(i)), raws[i])
    if nulls is not None:
        text = text[:nulls] + "\0\0" + text[nulls:]
    return text.encode(encoding, "replace")


def _edited(tree: Any, name: str, args: list[Any], raws: list[str]) -> Any:
    holder = [tree]
    parent, key = _find(holder, args[0])
    if name == "put":
        parent[key] = _raw(args[1], raws)
    elif name == "add" and isinstance(parent[key], dict):
        parent[key][args[1]] = _raw(args[2], raws)
    elif name == "add" and isinstance(parent[key], list):
        parent[key].append(_raw(args[2], raws))
    elif name == "drop" and parent is not holder:
        del parent[key]
    elif name == "rename" and isinstance(parent, dict):
        parent[args[1]] = parent.pop(key)
    elif name == "wrap":
        parent[key] = [parent[key]]
    elif name == "swap":
        parent[key] = json.loads(json.dumps(_get(_find(holder, args[1]))))
    return holder[0]


def _raw(text: str, raws: list[str]) -> str:
    raws.append(text)
    return _MARK.format(len(raws) - 1)


def _get(place: tuple[Any, Any]) -> Any:
    return place[0][place[1]]


def _find(holder: list[Any], path: list[int]) -> tuple[Any, Any]:
    """Where in the tree a path of numbers ends."""
    parent, key = holder, 0
    for step in path:
        here = parent[key]
        if not isinstance(here, (dict, list)) or not here:
            break
        parent = here
        key = list(here)[step % len(here)] if isinstance(here, dict) else step % len(here)
    return parent, key
