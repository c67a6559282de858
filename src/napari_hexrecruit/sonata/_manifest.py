"""JSON files of SONATA, and the variables of their ``manifest``."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.storage.kinds import instead_of
from napari_hexrecruit.storage.paths import absence

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.storage.kinds import Wanted

_MOST_BYTES = 256 << 20
_DEEPEST, _LONGEST = 8, 4096
"""Limits on the nesting of variables and on the characters of a resolved path."""
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


def read_json(
    path: Path, what: str, wanted: Wanted | None = None, notes: list[str] | None = None
) -> dict[str, Any]:
    """Return the object in a JSON file; of several entries of one name, the last one.

    Parameters
    ----------
    path
        The file.
    what
        Description of the expected file, such as ``a SONATA circuit configuration``.
    wanted
        Expected kind, to recognise and report a file of another kind.
    notes
        Gets a sentence for each name that an object has twice, with different values.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or holds something else.
    """
    if not path.is_file():
        raise instead_of(path, wanted) or SimulationDataError(
            path, absence(path), f"give {what} (JSON)"
        )
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise instead_of(path, wanted) or SimulationDataError(
                path, f"has {size:,} bytes, too many for {what}"
            )
        pairs = partial(_last_ones, path, notes)
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=pairs)
    except SimulationDataError:
        raise
    except (ValueError, OSError, RecursionError) as error:
        empty = isinstance(error, ValueError) and path.stat().st_size == 0
        reason = "it is empty" if empty else one_line(error)
        slashes = "write '/' for each backslash" if "\\escape" in reason else "correct it"
        raise instead_of(path, wanted) or SimulationDataError(
            path, f"is not JSON ({reason})", f"give {what}, or {slashes}"
        ) from error
    if not isinstance(content, dict):
        raise instead_of(path, wanted) or SimulationDataError(
            path, f"is a {type(content).__name__}, not {what}"
        )
    return content


def _last_ones(path: Path, notes: list[str] | None, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of some pairs, the last one of each name, as all readers of JSON do."""
    found = dict(pairs)
    if notes is not None and len(found) < len(pairs):
        twice = dict.fromkeys(name for name, value in pairs if value != found[name])
        notes += [
            f"{path}: {name!r} appears twice, with different values; the last one counts"
            for name in twice
        ]
    return found


def resolve_manifest(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Replace ``$NAME``, ``${NAME}`` and ``${configdir}`` in the content; drop the manifest.

    Undefined variables, and those that define each other in a circle, remain: code that needs the
    text finds them with `unresolved`.

    Raises
    ------
    SimulationDataError
        If the manifest is not a section of texts.
    """
    manifest = content.get("manifest") or {}
    if not isinstance(manifest, dict):
        raise SimulationDataError(path, "'manifest' is not a section {...}")
    variables = {str(name).strip("${}"): value for name, value in manifest.items()}
    variables.setdefault("configdir", str(path.parent))
    for name, value in variables.items():
        if not isinstance(value, str):
            raise SimulationDataError(f"{path}: manifest", f"${name} is {value!r}, not a text")

    def expand(text: str, seen: tuple[str, ...] = ()) -> str:
        def value_of(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name not in variables or name in seen or len(seen) > _DEEPEST:
                return match[0]
            return expand(variables[name], (*seen, name))

        return _VARIABLE.sub(value_of, text) if len(text) <= _LONGEST else text

    return {key: _walk(value, expand) for key, value in content.items() if key != "manifest"}


def unresolved(text: str) -> str | None:
    """Return the first variable that remains in a resolved text; None without one."""
    match = _VARIABLE.search(text)
    return match[0] if match else None


def _walk(value: Any, expand: Any) -> Any:
    if isinstance(value, dict):
        # In regular expressions of node sets, $ is not a variable.
        return {
            key: _walk(item, expand) if key != "$regex" else item for key, item in value.items()
        }
    if isinstance(value, list):
        return [_walk(item, expand) for item in value]
    return expand(value) if isinstance(value, str) and "$" in value else value
