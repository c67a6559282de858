"""Sample simulations: written once into the user's cache, then opened like any other."""

from __future__ import annotations

from pathlib import Path

from napari_hexrecruit._version import __version__
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.storage.cache import cached_folder
from napari_hexrecruit.synthetic import MEDIUM, SMALL, write_simulation

SCHEME = "hexrecruit-sample://"
"""Begin of the address of a sample; napari opens samples of a custom layer by address only."""

SAMPLES = {"small": SMALL, "medium": MEDIUM}
"""Stories by the last part of the address."""

_RUN, _CONFIG = "simulation", "simulation_config.json"


def cache_folder() -> Path:
    """Where samples are kept; it may be deleted at any time."""
    from platformdirs import user_cache_path

    return user_cache_path("napari-hexrecruit", appauthor=False) / "samples"


def sample_simulation(name: str, progress: Progress | None = None) -> Path:
    """Give the configuration of a sample simulation; it is written where it is not there whole.

    Parameters
    ----------
    name
        A name in `SAMPLES`.
    progress
        Called as ``progress(what, done, total)`` while the sample is written.

    Returns
    -------
    Path
        In a folder of this version of the package.

    Raises
    ------
    ValueError
        If there is no such sample.
    SimulationDataError
        If the cache cannot be written to.
    """
    if name not in SAMPLES:
        raise ValueError(f"there is no sample {name!r}: use one of {', '.join(SAMPLES)}")
    folder = cache_folder() / f"{name}-{__version__}"
    try:
        cached_folder(
            folder, lambda aside: write_simulation(aside / _RUN, SAMPLES[name], progress=progress)
        )
    except OSError as error:
        if error.errno is None:  # it says what to do already
            raise
        raise SimulationDataError(
            folder,
            f"the sample cannot be written: {error.strerror}",
            "make room or the folder writable, or write it elsewhere with 'hexrecruit demo' and"
            " open that",
        ) from error
    return folder / _RUN / _CONFIG
