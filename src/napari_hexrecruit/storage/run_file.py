"""Run files: the options of a command as YAML, to run it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.storage.atomic import written_aside

if TYPE_CHECKING:
    import os

_LARGEST_BYTES = 1_000_000
_RAISED = (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError)
"""Exceptions of PyYAML besides its own, for example for ``!!float ''``."""


def read_run_file(path: str | os.PathLike[str], command: str, known: set[str]) -> dict[str, Any]:
    """Read the options of a command from a run file.

    Parameters
    ----------
    path
        YAML file with the key ``command`` and one key per option.
    command
        Name of the command.
    known
        Names of its options.

    Returns
    -------
    dict
        Values by option.

    Raises
    ------
    ValueError
        If it is not YAML, is for another command, or has an option that the command lacks.
    """
    import yaml

    source = Path(path)
    if source.exists() and not source.is_file():
        raise ValueError(f"{source}: is a folder, a device or a pipe: name a run file (YAML)")
    if source.stat().st_size > _LARGEST_BYTES:
        raise ValueError(f"{source}: is too large to be a run file")
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (yaml.YAMLError, *_RAISED) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{source}: is not YAML ({reason})") from error
    if not isinstance(content, dict) or content.get("command") != command:
        found = content.get("command") if isinstance(content, dict) else None
        said = f" (command: {found!r})" if isinstance(found, str) else ""
        raise ValueError(f"{source}: is not a run file of 'hexrecruit {command}'{said}")
    options = {str(name): value for name, value in content.items() if name != "command"}
    for name, value in options.items():
        if not all(_is_plain(item) for item in (value if isinstance(value, list) else [value])):
            raise ValueError(
                f"{source}: {name!r} is neither a text, a number nor a list of those: correct it"
            )
    unknown = sorted(set(options) - known)
    if unknown:
        raise ValueError(
            f"{source}: there is no option {', '.join(map(repr, unknown))};"
            f" there are: {', '.join(sorted(known))}"
        )
    return options


def _is_plain(value: Any) -> bool:
    """Whether it is a single value; references in YAML can make a small file a huge tree."""
    return value is None or isinstance(value, (str, int, float))


def write_run_file(path: str | os.PathLike[str], command: str, options: dict[str, Any]) -> None:
    """Write the options of a command for `read_run_file`."""
    import yaml

    with written_aside(path) as aside:
        text = yaml.safe_dump({"command": command, **options}, sort_keys=False, allow_unicode=True)
        aside.write_text(text, encoding="utf-8")
