"""The reports that a simulation's configuration names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import Parameter, SimulationDataError
from napari_hexrecruit.sonata._advice import nearest
from napari_hexrecruit.sonata._reports import ReportConfig
from napari_hexrecruit.storage.paths import local_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ENDING = ".h5"


def report_configs(path: Path, content: Mapping[str, Any]) -> tuple[ReportConfig, ...]:
    """Return the reports of a configuration; entries that are not sections are left out.

    The file of a report that names none has the name of the report.
    """
    reports, output = content.get("reports"), content.get("output")
    folder = output.get("output_dir") if isinstance(output, dict) else None
    folder = folder if isinstance(folder, str) and folder else "output"
    found = []
    for name, entry in (reports if isinstance(reports, dict) else {}).items():
        if not isinstance(entry, dict) or entry.get("enabled") is False:
            continue
        file = _text(entry, "file_name") or str(name)
        file = file if file.endswith((_ENDING, ".hdf5")) else f"{file}{_ENDING}"
        found.append(
            ReportConfig(
                str(name),
                local_path(path.parent, folder, file),
                *(_text(entry, key) for key in ("type", "variable_name", "unit")),
            )
        )
    return tuple(found)


def report_named(path: Path, reports: Sequence[ReportConfig], name: str) -> ReportConfig:
    """Return a report by its name or path.

    Raises
    ------
    SimulationDataError
        If the configuration has no report of the name, and it is not the name of a file.
    """
    for report in reports:
        if report.name == name:
            return report
    if name.endswith((_ENDING, ".hdf5")):
        file = Path(os.path.abspath(name))
        same = [one for one in reports if one.path == file]
        return same[0] if same else ReportConfig(file.stem, file)
    names = [report.name for report in reports]
    near = nearest(name, names)
    hint = Parameter("report", (near,)) if near else Parameter("report", hint="FILE.h5")
    raise SimulationDataError(
        path,
        f"names no report {name!r}; there are: {', '.join(names) or 'none'}",
        ("did you mean ", hint, "?") if near else ("name one of them, or a file with ", hint),
    )


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
