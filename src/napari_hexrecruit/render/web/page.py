"""The text of the page, joined from its files, with a policy that blocks everything else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MODULES = (
    *("base.js", "data.js", "values.js", "colour.js", "geometry.js", "raster.js", "clock.js"),
    *("state.js", "selection.js", "map.js", "colourbar.js", "plot.js", "traces.js", "panels.js"),
    *("files.js", "about.js", "keyboard.js", "main.js"),
)
"""Files of the script, each after the files that it imports from."""
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|let|function|class|async)", re.MULTILINE)


@cache
def script() -> str:
    """Join all modules into one script, without imports, because they share one scope here."""
    parts = (_EXPORT.sub("", _IMPORT.sub("", _asset(name))) for name in MODULES)
    return '"use strict";\n' + "\n".join(parts)


def page_parts(content: dict[str, Any], blocks: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the page in parts, to be written one after the other.

    Parameters
    ----------
    content
        Result of `content.content`.
    blocks
        Id and packed values of each part of a variable.
    """
    body, style, code = _asset("page.html"), _asset("page.css"), script()
    policy = (
        f"default-src 'none'; script-src {_hash(code)}; style-src {_hash(style)}; img-src data:;"
        " connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta name="generator" content="napari-hexrecruit {escape(content["version"])}">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(content['title'])}</title>\n<style>{style}</style>\n</head>\n"
        f'<body>\n{body}\n<script type="application/json" id="content">{in_script(content)}'
        "</script>\n"
    )
    for name, packed in blocks:
        yield f'<script type="text/plain" id="{name}">{packed}</script>\n'
    yield f"<script>{code}</script>\n</body>\n</html>\n"


def in_script(value: Any) -> str:
    """Encode as JSON in which no text can close the surrounding script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _asset(name: str) -> str:
    return files("napari_hexrecruit.render.web").joinpath("assets", name).read_text("utf-8")
