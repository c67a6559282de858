"""Cubes of all simulations as one dataset, written one simulation at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from napari_hexrecruit import schema
from napari_hexrecruit.campaign._cluster import results_of
from napari_hexrecruit.campaign._dataset import (
    CAMPAIGN_VERSION,
    DATASET,
    ERROR,
    FIRST_BIN,
    N_BINS,
    NUMBERS,
    PATH,
    SIMULATION,
    STATE,
    TEXTS,
    dtype_of,
    options_text,
    validate_campaign,
)
from napari_hexrecruit.campaign._heads import OF_HEX, Head, attrs_of_variables, head_of, read_heads
from napari_hexrecruit.campaign._manifest import DONE
from napari_hexrecruit.campaign._parameters import axes_of
from napari_hexrecruit.campaign._write import Part, WriteJob, write_parts
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.schema import BOUND, COORDINATES, HEX, N_NEURONS, TIME
from napari_hexrecruit.storage.zarr_store import (
    create_store,
    store_aside,
)
from napari_hexrecruit.text import encodable
from napari_hexrecruit.timebins import TimeBins

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr

    from napari_hexrecruit.campaign._manifest import Entry, Manifest
    from napari_hexrecruit.campaign._parameters import Value
    from napari_hexrecruit.progress import Progress

_MOST_AT_ONCE, _PER_WORKER = 32, 4
_FIXED = tuple(name for name in OF_HEX if name != N_NEURONS)
_EPSILON_MS = 1e-6
_RESERVED = {
    *schema.VARIABLES,
    *COORDINATES,
    *(BOUND, SIMULATION, STATE, PATH, ERROR, FIRST_BIN, N_BINS),
    *NUMBERS,
    *TEXTS,
}


def collect(
    client: Any, manifest: Manifest, folder: Path, *, progress: Progress | None = None
) -> Path:
    """Write the dataset of all finished cubes.

    Parameters
    ----------
    client
        A `distributed.Client`; its workers write.
    manifest
        Manifest of a campaign with at least one finished simulation.
    folder
        Folder of the campaign.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Path
        Path of the dataset; an existing dataset is replaced when the new one is complete.

    Raises
    ------
    HexRecruitError
        If the cubes are on different grids, or cannot be read or written.
    """
    done = [number for number, entry in enumerate(manifest.entries) if entry.state == DONE]
    heads = _heads(client, manifest, folder, done, progress)
    dims, positions = _positions(manifest.entries)
    attrs_of = attrs_of_variables(_cubes_of(manifest.entries[done[0]], folder)[0])
    layout = _layout(manifest, heads, attrs_of, dims, positions)
    validate_campaign(layout)
    final = folder / DATASET
    with store_aside(final, overwrite=True) as aside:
        create_store(layout, aside)
        first_bin = layout[FIRST_BIN].values
        parts = [
            Part(
                _cubes_of(manifest.entries[number], folder),
                dict(zip(dims, positions[number], strict=True)),
                int(first_bin[positions[number]]),
            )
            for number in done
        ]
        jobs = [WriteJob(aside, [parts[k] for k in batch]) for batch in _batches(client, parts)]
        n_written = 0
        for number, result in results_of(client, write_parts, jobs):
            _check(result, jobs[number].parts[0].files[0])
            n_written += len(jobs[number].parts)
            if progress is not None:
                progress("collecting cubes", n_written, len(parts))
    return final


def _heads(
    client: Any, manifest: Manifest, folder: Path, done: list[int], progress: Progress | None
) -> dict[int, Head]:
    """Read the heads of the cubes of each finished simulation."""
    batches = _batches(client, done)
    jobs = [[_cubes_of(manifest.entries[done[k]], folder) for k in batch] for batch in batches]
    found: dict[int, Head] = {}
    known: dict[bytes, npt.NDArray[Any]] = {}
    for number, result in results_of(client, read_heads, jobs):
        _check(result, jobs[number][0][0])
        for k, heads in zip(batches[number], cast("list[list[Head]]", result), strict=True):
            found[done[k]] = head_of(manifest.entries[done[k]], heads).sharing(known)
        if progress is not None:
            progress("reading cubes", len(found), len(done))
    return {number: found[number] for number in done}


def _cubes_of(entry: Entry, folder: Path) -> list[Path]:
    return [folder / piece.file for piece in entry.pieces]


def _batches(client: Any, jobs: Sequence[Any]) -> list[range]:
    """Group jobs into batches, each done by one worker.

    Handing out a job costs as much as a small job itself. Each worker gets several batches, so that
    all workers finish at about the same time.
    """
    n_threads = sum(client.nthreads().values())
    size = min(_MOST_AT_ONCE, max(1, len(jobs) // (_PER_WORKER * max(1, n_threads))))
    return [range(at, min(at + size, len(jobs))) for at in range(0, len(jobs), size)]


def _check(result: object, file: Path) -> None:
    """Raise the error of a worker; other exceptions are reported with the first of its files."""
    if isinstance(result, HexRecruitError):
        raise result
    if isinstance(result, Exception):
        said = " ".join(str(result).split())
        raise HexRecruitError(f"{file}: cannot be collected: {said}") from result


def dimension_names(parameters: Sequence[str]) -> dict[str, str]:
    """Return the names of parameters in the dataset, without slashes and clashes."""
    names: dict[str, str] = {}
    for parameter in parameters:
        name = parameter.replace("/", "_") or "parameter"
        while name in _RESERVED or name in names.values():
            name += "_"
        names[parameter] = name
    return names


def _positions(entries: Sequence[Entry]) -> tuple[tuple[str, ...], list[tuple[int, ...]]]:
    """Return the axes before time, and the position of each simulation along them."""
    axes = axes_of([entry.parameters for entry in entries])
    if not axes:
        return (SIMULATION,), [(number,) for number in range(len(entries))]
    names = dimension_names(list(entries[0].parameters))
    at = [tuple(v.index(e.parameters[n]) for n, v in axes.items()) for e in entries]
    return tuple(names[axis] for axis in axes), at


def _layout(
    manifest: Manifest,
    heads: dict[int, Head],
    attrs_of: dict[str, dict[str, Any]],
    dims: tuple[str, ...],
    positions: list[tuple[int, ...]],
) -> xr.Dataset:
    """Return the dataset without its values over time."""
    import dask.array
    import xarray as xr

    entries, first = manifest.entries, next(iter(heads.values()))
    shape = tuple(max(position[k] for position in positions) + 1 for k in range(len(dims)))
    hexes = _joined(heads, manifest)
    bins = _common_bins(heads, manifest)
    outer = _over_simulations(entries, heads, bins, positions, shape)
    n_neurons = np.zeros((*shape, len(hexes[HEX])), dtype=np.int32)
    index_of = {name: k for k, name in enumerate(hexes[HEX].tolist())}
    for number, head in heads.items():
        at = [index_of[name] for name in head.hexes[HEX].tolist()]
        n_neurons[positions[number]][at] = head.hexes[N_NEURONS]
    coords: dict[str, Any] = {
        **_parameter_coordinates(entries, dims),
        SIMULATION: (dims, outer.pop(SIMULATION)),
        **schema.time_coords(bins.edges(), attrs_of),
        **{name: (HEX, hexes[name], attrs_of[name]) for name in _FIXED},
        N_NEURONS: ((*dims, HEX), n_neurons, attrs_of[N_NEURONS]),
    }
    size = (*shape, bins.n_bins, len(hexes[HEX]))
    values = {
        name: (
            (*dims, TIME, HEX),
            dask.array.zeros(size, dtype=dtype_of(name), chunks=(1,) * len(shape) + size[-2:]),
            attrs_of[name],
        )
        for name in first.variables
    }
    attrs = _attrs_of_campaign(manifest, first, attrs_of)
    return xr.Dataset(values | {n: (dims, v) for n, v in outer.items()}, coords, attrs)


def _attrs_of_campaign(
    manifest: Manifest, first: Head, attrs_of: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return what the cubes share, and what describes the campaign."""
    shown = first.variables[0]
    what = "Recruitment" if shown == schema.RECRUITMENT else attrs_of[shown]["long_name"]
    return {
        **{n: v for n, v in first.attrs.items() if n not in _per_simulation()},
        "campaign_schema_version": CAMPAIGN_VERSION,
        "title": f"{what} in a campaign of {len(manifest.entries)} simulations",
        "parameters": json.dumps(list(manifest.entries[0].parameters)),
        "options": options_text(manifest.recipe.entries()),
        "notes": json.dumps(manifest.notes),
    }


def _per_simulation() -> tuple[str, ...]:
    return ("schema_version", "title", "notes", *NUMBERS, *TEXTS)


def _parameter_coordinates(entries: Sequence[Entry], dims: tuple[str, ...]) -> dict[str, Any]:
    """Axes; parameters with one value are scalars. Beside an axis of simulations: along that."""
    names = dimension_names(list(entries[0].parameters))
    if dims == (SIMULATION,):
        columns = {n: [e.parameters[n] for e in entries] for n in names}
        return {names[n]: (SIMULATION, _array(column)) for n, column in columns.items()}
    axes = axes_of([entry.parameters for entry in entries])
    return {
        name: (name, _array(axes[n])) if n in axes else ((), _array(entries[0].parameters[n]))
        for n, name in names.items()
    }


def _array(values: Any) -> npt.NDArray[Any]:
    return np.array(values)


def _over_simulations(
    entries: Sequence[Entry],
    heads: dict[int, Head],
    bins: TimeBins,
    positions: list[tuple[int, ...]],
    shape: tuple[int, ...],
) -> dict[str, npt.NDArray[Any]]:
    """Return names, states and attributes of the simulations."""
    texts = {name: np.full(shape, "", dtype=object) for name in (SIMULATION, STATE, PATH, ERROR)}
    texts |= {name: np.full(shape, "", dtype=object) for name in TEXTS}
    counted = [name for name in NUMBERS if all(name in head.attrs for head in heads.values())]
    numbers = {name: np.zeros(shape, dtype=np.int64) for name in (FIRST_BIN, N_BINS, *counted)}
    for number, entry in enumerate(entries):
        at = positions[number]
        own: dict[str, Value] = {
            SIMULATION: entry.name,
            STATE: entry.state,
            PATH: entry.path or "",
            ERROR: entry.reason,
        }
        if number in heads:
            head = heads[number]
            offset = (head.start_ms - bins.start_ms) / bins.width_ms
            own |= {FIRST_BIN: round(offset), N_BINS: head.n_bins}
            own |= {name: int(head.attrs[name]) for name in NUMBERS if name in head.attrs}
            own |= {name: str(head.attrs.get(name, "[]")) for name in TEXTS}
        for name, value in own.items():
            if name in texts:
                texts[name][at] = encodable(str(value))
            else:
                numbers[name][at] = value
    return {**{name: text.astype(np.str_) for name, text in texts.items()}, **numbers}


def _joined(heads: dict[int, Head], manifest: Manifest) -> dict[str, npt.NDArray[Any]]:
    """Return the hexagons of all simulations, by row and column; refuse differing positions."""
    rows: dict[str, tuple[Any, ...]] = {}
    seen: set[bytes] = set()
    for number, head in heads.items():
        columns = [head.hexes[name] for name in _FIXED]
        key = b"".join(np.ascontiguousarray(column).tobytes() for column in columns)
        if key in seen:
            continue
        seen.add(key)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            if rows.setdefault(row[0], row) != row:
                raise HexRecruitError(
                    f"{manifest.entries[number].path}: hexagon {row[0]!r} has another place than in"
                    " the simulations before: compute them with the same radius and flat map"
                )
    order = {name: k for k, name in enumerate(_FIXED)}
    table = sorted(rows.values(), key=lambda row: (row[order["row"]], row[order["col"]], row[0]))
    return {
        name: np.array(
            [row[k] for row in table],
            dtype=np.str_ if COORDINATES[name].dtype == "str" else COORDINATES[name].dtype,
        )
        for k, name in enumerate(_FIXED)
    }


def _common_bins(heads: dict[int, Head], manifest: Manifest) -> TimeBins:
    """Return the bins from the first start to the last stop; refuse cubes that do not match."""
    first = next(iter(heads.values()))
    width = float(first.attrs["bin_ms"])
    for number, head in heads.items():
        path = manifest.entries[number].path
        for name in ("hex_radius", "bin_ms", "flat_units", "hemispheres"):
            own, other = head.attrs.get(name), first.attrs.get(name)
            if own != other:
                raise HexRecruitError(
                    f"{path}: {name} is {own}, and {other} in others:"
                    " give simulations that share one flat space"
                )
        apart = (head.start_ms - first.start_ms) / width
        if abs(apart - round(apart)) * width > _EPSILON_MS:
            raise HexRecruitError(
                f"{path}: its bins start at {head.start_ms:g} ms and those of others at"
                f" {first.start_ms:g} ms: give a start for all"
            )
    start = min(head.start_ms for head in heads.values())
    n_bins = max(round((h.start_ms - start) / width) + h.n_bins for h in heads.values())
    return TimeBins(start, start + n_bins * width, width)
