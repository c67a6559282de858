"""Tasks of a worker for one cube. Must not know dask."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_hexrecruit.campaign._manifest import Stamp, checksum
from napari_hexrecruit.doubts import Tally, warnings_in
from napari_hexrecruit.errors import HexRecruitError, in_python, in_words
from napari_hexrecruit.pipeline.evidence import TALLIES, tallies_in
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.pipeline.spike_stream import open_stream
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.storage.cache import stamp
from napari_hexrecruit.storage.cubes import write_cube

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.sonata import Simulation

_TOO_LARGE = "there is not enough memory: use fewer workers, or split the simulation into windows"


@dataclass(frozen=True)
class CubeJob:
    """Job of computing a cube.

    Attributes
    ----------
    path
        Configuration of the simulation.
    recipe
        Recipe of the cube.
    file
        File of the cube; an existing file is replaced.
    allow_empty
        As for `recruitment_cube`.
    n_threads
        Threads for counting.
    one_of_several
        Whether the simulation has several cubes, so that it is kept in memory.
    version
        Version of the package that gives the job.
    words
        Names of parameters in error messages.
    """

    path: str
    recipe: CubeRecipe
    file: Path
    _: KW_ONLY
    allow_empty: bool
    n_threads: int
    one_of_several: bool
    version: str
    words: Words = in_python


@dataclass(frozen=True)
class Done:
    """A written cube, with doubts about it as `warnings` and the tally of each population."""

    sha256: str
    inputs: list[Stamp]
    warnings: list[str]
    tallies: list[Tally]


@dataclass(frozen=True)
class Failed:
    """A cube that could not be computed; the error is one line."""

    error: str


def compute_cube(job: CubeJob) -> Done | Failed:
    """Compute a cube and write it; errors that users can fix are returned, not raised."""
    from napari_hexrecruit._version import __version__
    from napari_hexrecruit.pipeline.cubes import computed_cube

    if job.version != __version__:
        return Failed(
            f"the worker has napari-hexrecruit {__version__} and the campaign {job.version}:"
            " install the same version on all machines"
        )
    try:
        simulation = _opened(job)
        inputs = [stamp(file) for file in simulation.files if file.is_file()]
        cube = computed_cube(
            simulation,
            job.recipe,
            judged=not job.one_of_several,
            allow_empty=job.allow_empty,
            keep_spikes=False,
            n_workers=job.n_threads,
        )
        if simulation.is_stale():
            return Failed(f"{job.path}: its files were changed meanwhile: compute it again")
        is_report = job.recipe.report is not None
        tallies = [] if is_report else tallies_in(cube)
        cube.attrs.pop(TALLIES, None)  # else the dataset would get those of one simulation
        write_cube(cube, job.file, overwrite=True, n_workers=job.n_threads)
        inputs += _atlas_inputs(simulation, cube)
        if is_report:
            inputs.append(stamp(simulation.report_config(str(job.recipe.report)).path))
        return Done(checksum(job.file), inputs, warnings_in(cube.attrs), tallies)
    except (HexRecruitError, ValueError, OSError, MemoryError) as error:
        return Failed(sentence_of(error, job.path, job.words))


def look_at_order(job: CubeJob) -> None:
    """Check, once for all cubes of a simulation, whether its spikes are in order.

    Faults of the files are reported when the cubes are computed.
    """
    if job.recipe.report is not None:
        return
    with contextlib.suppress(HexRecruitError, ValueError, OSError, MemoryError):
        simulation = _opened(job)
        for population in Populations.named(simulation, job.recipe.population).names:
            with open_stream(simulation, population) as stream:
                if stream is not None and stream.order != "by_id":
                    stream.train.is_ascending()


def sentence_of(error: BaseException, path: str, words: Words = in_python) -> str:
    """Return one line that names the file and the fault."""
    if isinstance(error, MemoryError):
        return f"{path}: {str(error) or _TOO_LARGE}"
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or path}: {error.strerror}"
    else:
        text = in_words(error, words)
    known = isinstance(error, (HexRecruitError, ValueError, OSError))
    text = text if known else f"{type(error).__name__}: {text}"
    return text if isinstance(error, (HexRecruitError, OSError)) else f"{path}: {text}"


def forget() -> None:
    """Release the simulation that is kept for its next window."""
    with _lock:
        _kept.clear()


_kept: dict[str, Simulation] = {}
_lock = threading.Lock()


def _opened(job: CubeJob) -> Simulation:
    from napari_hexrecruit.sonata import open_simulation

    with _lock:
        found = _kept.get(job.path)
    if found is not None and not found.is_stale():
        return found
    forget()
    simulation = open_simulation(job.path)
    if job.one_of_several:
        with _lock:
            _kept[job.path] = simulation
    return simulation


def _atlas_inputs(simulation: Simulation, cube: xr.Dataset) -> list[Stamp]:
    """Return the stamps of the volumes from which flat positions were read."""
    recipe, atlas = CubeRecipe.of(cube), simulation.atlas_folder
    columns = recipe.columns or ()
    volumes = (None if recipe.columns else recipe.flat, recipe.column_atlas)
    files = [Path(volume) for volume in volumes if isinstance(volume, (str, os.PathLike))]
    computed = any(simulation.is_from_atlas(p, c) for p in recipe.populations for c in columns)
    if atlas is not None and computed:
        files += [atlas / "flatmap.nrrd", atlas / "orientation.nrrd"]
    return [stamp(file) for file in files if file.is_file()]
