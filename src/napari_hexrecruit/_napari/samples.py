"""Sample simulations, written once into the user's cache and then opened like any other."""

from __future__ import annotations

from pathlib import Path

from napari_hexrecruit._version import __version__
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.storage.cache import cached_folder
from napari_hexrecruit.synthetic import MEDIUM, SMALL, write_simulation

SCHEME = "hexrecruit-sample://"
"""Prefix of the address of a sample; napari can open a sample as a custom layer only by address."""

SAMPLES = {"small": SMALL, "medium": MEDIUM}
"""`Story` of each sample, by the last part of its address."""

_RUN, _CONFIG = "simulation", "simulation_config.json"


def cache_folder() -> Path:
    """Return the folder of samples, which users can delete at any time."""
    from platformdirs import user_cache_path

    return user_cache_path("napari-hexrecruit", appauthor=False) / "samples"


def sample_simulation(name: str, progress: Progress | None = None) -> Path:
    """Return the configuration of a sample simulation; write the sample unless it is complete.

    Parameters
    ----------
    name
        A name in `SAMPLES`.
    progress
        Called as ``progress(what, done, total)`` while the sample is written.

    Returns
    -------
    Path
        Configuration in a folder for this version of the package.

    Raises
    ------
    ValueError
        If the name is not in `SAMPLES`.
    SimulationDataError
        If the cache is not writable.
    """
    if name not in SAMPLES:
        raise ValueError(f"there is no sample {name!r}: use one of {', '.join(SAMPLES)}")
    folder = cache_folder() / f"{name}-{__version__}"
    try:
        cached_folder(
            folder, lambda aside: write_simulation(aside / _RUN, SAMPLES[name], progress=progress)
        )
    except OSError as error:
        if error.errno is None:  # it already says what to do
            raise
        raise SimulationDataError(
            folder,
            f"the sample cannot be written: {error.strerror}",
            "make room or the folder writable, or write it elsewhere with 'hexrecruit demo' and"
            " open that",
        ) from error
    return folder / _RUN / _CONFIG
