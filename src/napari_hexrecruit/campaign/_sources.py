"""Simulations of a campaign, from lists, patterns and files in several formats.

Formats of files, and their sources:

- bbp-workflow: the dict of an `xarray.DataArray` of folders, with the parameters as coordinates;
- blueetl: a table of paths and parameters, ``format: blueetl``. Both as read by
  ``blueetl.campaign.config.SimulationCampaign`` (BlueBrain/blueetl);
- OBI-ONE: ``obi_one_scan.json``, formerly ``run_scan_config.json``, next to a folder for each
  simulation with ``obi_one_coordinate.json``, formerly ``run_coordinate_instance.json``
  (openbraininstitute/obi-one, ``obi_one/core/scan_generation.py``);
- the package's own: ``{"simulations": [{"path": ..., "parameters": {...}}]}``.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.campaign._parameters import Value, axes_of, differences, table_of
from napari_hexrecruit.campaign._patterns import existing, matching
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.kinds import instead_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIG = "simulation_config.json"
_LARGEST_BYTES = 50_000_000
_XARRAY_KEYS = {"attrs", "data", "dims", "coords"}
_SCANS = ("obi_one_scan.json", "run_scan_config.json")
_COORDINATES = ("obi_one_coordinate.json", "run_coordinate_instance.json")


@dataclass(frozen=True)
class Member:
    """One simulation of a campaign.

    Attributes
    ----------
    path
        Configuration; None if the campaign file leaves the simulation out.
    parameters
        Scan parameters by name; the same names in all simulations of a campaign.
    """

    path: Path | None
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """Simulations and their scan parameters.

    Attributes
    ----------
    members
        Simulations, in order.
    notes
        Assumptions, a sentence each.

    Examples
    --------
    >>> members = [Member(Path(f"{ca}.json"), {"ca": ca}) for ca in (1.0, 2.0)]
    >>> Campaign(tuple(members)).axes
    {'ca': (1.0, 2.0)}
    """

    members: tuple[Member, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rows = table_of([member.parameters for member in self.members])
        members = (Member(m.path, r) for m, r in zip(self.members, rows, strict=True))
        object.__setattr__(self, "members", tuple(members))

    @property
    def axes(self) -> dict[str, tuple[Value, ...]]:
        """Values of each parameter with several values, if they span a full grid; else empty."""
        return axes_of([member.parameters for member in self.members])

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the scan parameters."""
        return tuple(self.members[0].parameters) if self.members else ()


def list_simulations(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> Campaign:
    """List simulations with their scan parameters.

    Parameters
    ----------
    sources
        Simulation configurations, their folders, or patterns such as
        ``runs/*/simulation_config.json``; or one campaign file, JSON or YAML (see
        ``docs/campaigns.md`` for the formats). A part of a pattern that is the name of an existing
        file or folder, such as ``ca[1.0]``, stands for itself.

    Returns
    -------
    Campaign
        The parameters come from OBI-ONE's files next to the simulations or, without these files,
        from the differences between the configurations if they identify each simulation. ``notes``
        states the source.

    Raises
    ------
    SimulationDataError
        If a file is missing or cannot be read, its format is unknown, or a campaign file is given
        together with other files.
    ValueError
        If there are no simulations, or a parameter is missing in some of them.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> for seed in (1, 2):
    ...     _ = write_simulation(f"{folder.name}/{seed}", n_neurons=200, seed=seed)
    >>> campaign = list_simulations(f"{folder.name}/*/simulation_config.json")
    >>> len(campaign.members), campaign.axes
    (2, {'run.random_seed': (1, 2)})
    """
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    expanded = [_expanded(os.fspath(source)) for source in given]
    paths = [path for found, _ in expanded for path in found]
    contents = {path: _content(path) for path in dict.fromkeys(paths)}
    files = [path for path, content in contents.items() if not _is_simulation(content)]
    if len(contents) == 1 and files:
        campaign = _read_file(files[0], contents[files[0]])
    elif files:
        raise SimulationDataError(
            files[0],
            "is not a simulation configuration (there is no 'run')",
            "give simulations, or one campaign file alone",
        )
    else:
        campaign = _listed(contents)
    notes = dict.fromkeys(note for _, note in expanded if note)
    return _checked(replace(campaign, notes=(*notes, *campaign.notes)))


def _expanded(source: str) -> tuple[list[Path], str]:
    """Return the files that a source names, and a note about assumptions."""
    path = existing(source)
    found, note = ([path], "") if path.exists() else matching(source)
    if not found:
        is_pattern = any(letter in source for letter in "*?[")
        raise SimulationDataError(
            f"{source}: matches no file: correct the pattern"
            if is_pattern
            else f"{source}: does not exist: give simulations or a campaign file"
        )
    return [_absolute(_in_folder(path) if path.is_dir() else path) for path in found], note


def _in_folder(folder: Path) -> Path:
    for name in (CONFIG, *_SCANS):
        if (folder / name).is_file():
            return folder / name
    raise SimulationDataError(folder, f"has neither {CONFIG} nor {_SCANS[0]}", "name the file")


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _content(path: Path) -> Any:
    """Read a JSON or YAML file."""
    import yaml

    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SimulationDataError(path, "is too large to be a campaign file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        other = instead_of(path, "simulation")
        if other is not None:
            raise other from error
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SimulationDataError(
            path, f"cannot be read ({reason})", "name another file"
        ) from error
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            return yaml.safe_load(text)
        return json.loads(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SimulationDataError(path, f"is not JSON or YAML ({reason})", "correct it") from error


def _is_simulation(content: Any) -> bool:
    return isinstance(content, dict) and "run" in content


def _listed(contents: Mapping[Path, Any]) -> Campaign:
    """Make a campaign of listed simulations, with the parameters that can be found."""
    coordinates = [_coordinate_beside(path) for path in contents]
    if len(contents) > 1 and all(row is not None for row in coordinates):
        rows: Sequence[Mapping[str, Any]] = [row or {} for row in coordinates]
        note = "parameters are those of OBI-ONE's files beside the simulations"
    elif len(contents) > 1:
        rows, note = differences(list(contents.values()))
    else:
        rows, note = [{}], ""
    members = tuple(Member(path, row) for path, row in zip(contents, rows, strict=True))
    return Campaign(members, (note,) if note else ())


def _read_file(path: Path, content: Any) -> Campaign:
    """Read a campaign file of a known format."""
    try:
        if isinstance(content, list):
            return _from_list(path, content)
        if isinstance(content, dict) and "simulations" in content:
            return _from_list(path, content["simulations"])
        if isinstance(content, dict) and content.get("format") == "blueetl":
            return _from_table(path, content)
        if isinstance(content, dict) and set(content) >= _XARRAY_KEYS:
            return _from_xarray(path, content)
        if isinstance(content, dict) and "form" in content:
            return _from_scan(path)
    except SimulationDataError:
        raise
    except ValueError as error:
        raise SimulationDataError(path, f"{' '.join(str(error).split())}") from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise SimulationDataError(
            path, f"cannot be read as a campaign ({type(error).__name__}: {reason})", "correct it"
        ) from error
    found = ", ".join(map(repr, itertools.islice(content, 5))) if isinstance(content, dict) else ""
    raise SimulationDataError(
        path,
        "is neither a simulation nor a campaign of a known format"
        f" (found: {found or type(content).__name__})",
        "see docs/campaigns.md for the formats",
    )


def _from_list(path: Path, items: Any) -> Campaign:
    """Read the package's own format."""
    if not isinstance(items, list):
        raise SimulationDataError(path, f"'simulations' is {items!r}", "give a list")
    members = []
    for number, item in enumerate(items):
        row = {"path": item} if isinstance(item, str) else item
        if not isinstance(row, dict) or not isinstance(row.get("path"), str) or not row["path"]:
            raise SimulationDataError(
                path, f"simulation {number + 1} has no 'path' (found: {item!r})", "give one"
            )
        parameters = row.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise SimulationDataError(
                path,
                f"'parameters' of simulation {number + 1} is {parameters!r}: give names and"
                ' values, as {"ca"',
                "1.1}",
            )
        config = _config_in(path.parent, row["path"])
        members.append(Member(config, {str(n): v for n, v in parameters.items()}))
    return Campaign(tuple(members))


def _from_table(path: Path, content: Mapping[str, Any]) -> Campaign:
    """Read blueetl's format."""
    prefix = _prefix(path, content.get("attrs") or {})
    members = []
    for row in content["data"]:
        parameters = {str(n): v for n, v in row.items() if n != "simulation_path"}
        members.append(Member(_known(path, prefix, row["simulation_path"]), parameters))
    return Campaign(tuple(members))


def _from_xarray(path: Path, content: Mapping[str, Any]) -> Campaign:
    """Read bbp-workflow's format."""
    prefix, dims = _prefix(path, content.get("attrs") or {}), list(content["dims"])
    folders = np.array(content["data"], dtype=object)
    if folders.ndim != len(dims):
        raise SimulationDataError(
            path, f"'data' has {folders.ndim} axes, and 'dims' has {len(dims)}", "correct it"
        )
    columns = {
        str(name): (list(coordinate["dims"]), np.array(coordinate["data"], dtype=object))
        for name, coordinate in content["coords"].items()
    }
    members = []
    for at in np.ndindex(folders.shape):
        where = dict(zip(dims, at, strict=True))
        parameters = {
            name: values[tuple(where[dim] for dim in over)]
            for name, (over, values) in columns.items()
        }
        members.append(Member(_known(path, prefix, folders[at]), parameters))
    return Campaign(tuple(members))


def _from_scan(path: Path) -> Campaign:
    """Read OBI-ONE's format, in which the simulations are in folders below the scan's file."""
    files = sorted(file for name in _COORDINATES for file in path.parent.rglob(name))
    if not files:
        raise SimulationDataError(
            path,
            f"there is no {_COORDINATES[0]} in folders beside it",
            "generate the simulations, or name their configurations",
        )
    found = [(_content(file), file) for file in files]
    found.sort(key=lambda pair: (int(pair[0].get("idx", -1)), pair[1]))
    members = (Member(f.parent / CONFIG, _scan_parameters(f, content)) for content, f in found)
    return Campaign(tuple(members))


def _coordinate_beside(config: Path) -> dict[str, Any] | None:
    for name in _COORDINATES:
        file = config.parent / name
        if config.name == CONFIG and file.is_file():
            return _scan_parameters(file, _content(file))
    return None


def _scan_parameters(file: Path, content: Any) -> dict[str, Any]:
    try:
        scanned = content["single_coordinate_scan_params"]["scan_params"]
        return {".".join(map(str, p["location_list"])): p["value"] for p in scanned}
    except (KeyError, TypeError) as error:
        raise SimulationDataError(
            file, f"'single_coordinate_scan_params' cannot be read ({error!r})", "is it OBI-ONE's?"
        ) from error


def _prefix(path: Path, attrs: Mapping[str, Any]) -> Path:
    """Return the folder that paths are relative to; refuse campaigns from before SONATA."""
    circuit = attrs.get("circuit_config")
    if circuit and not str(circuit).endswith(".json"):
        raise SimulationDataError(
            path, f"'circuit_config' is {circuit!r}", "these are not SONATA simulations"
        )
    return path.parent / str(attrs.get("path_prefix") or ".")


def _known(path: Path, prefix: Path, folder: Any) -> Path | None:
    """Return the configuration in a folder, or None for an empty path (simulation left out)."""
    if not folder:
        return None
    if str(folder).startswith(("http://", "https://")):
        raise SimulationDataError(
            path, f"{folder} is an address", "download the simulations and give their files"
        )
    return _config_in(prefix, str(folder))


def _config_in(prefix: Path, path: str) -> Path:
    config = _absolute(existing(path, prefix))
    return config if config.suffix == ".json" else config / CONFIG


def _checked(campaign: Campaign) -> Campaign:
    paths = [member.path for member in campaign.members if member.path is not None]
    if not paths:
        raise ValueError("the campaign has no simulation: name at least one")
    twice = (
        {path for path in paths if paths.count(path) > 1} if len(set(paths)) < len(paths) else ()
    )
    for path in twice:
        raise SimulationDataError(path, "is listed twice in the campaign", "list it once")
    return campaign
