"""``hexrecruit demo`` and ``hexrecruit view``."""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path
from typing import Annotated

import typer

from napari_hexrecruit.cli._console import progress_bars, say
from napari_hexrecruit.cli._look import stimulus_marks
from napari_hexrecruit.cli._options import CircuitFile, SpikesFile
from napari_hexrecruit.errors import HexRecruitError, MissingExtraError
from napari_hexrecruit.system.signals import end_at_once


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder for the files; created if missing.")
    ] = Path("hexrecruit-demo"),
    view: Annotated[bool, typer.Option(help="Open the viewer if there is a screen.")] = True,
) -> None:
    """Write a sample simulation, its cube and a movie.

    The viewer opens if there is a screen.
    """
    from napari_hexrecruit.pipeline.cubes import computed_cube
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.render.frames import render_frames
    from napari_hexrecruit.render.movie import write_movie
    from napari_hexrecruit.storage.cubes import read_cube, write_cube
    from napari_hexrecruit.synthetic import MEDIUM, write_simulation

    config = folder / "simulation" / "simulation_config.json"
    cube_file, movie_file = folder / "demo.hexrecruit.nc", folder / "demo.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    with progress_bars() as progress:
        if _missing(config, "simulation"):
            write_simulation(config.parent, MEDIUM, progress=progress)
        if _missing(cube_file, "recruitment cube"):
            write_cube(computed_cube(config, CubeRecipe(), progress=progress), cube_file)
        if _missing(movie_file, "movie"):
            marks = stimulus_marks(config)
            frames = render_frames(
                read_cube(cube_file), clim=(0, 50), marks=marks, strip=True, scale_bar=True
            )
            write_movie(frames, movie_file, progress=progress)
    if not view:
        return
    if not _has_screen() or importlib.util.find_spec("napari") is None:
        why = "there is no screen here" if not _has_screen() else "napari is not installed"
        say(f"{why}: the viewer stays closed; later: hexrecruit view {cube_file}")
        return
    _launch(cube_file)


def _missing(path: Path, what: str) -> bool:
    """Print which file is written or kept; return whether it is missing."""
    there = path.exists()
    say(f"{what:18}{path}{' (kept)' if there else ''}")
    return not there


def view(
    sim_or_cube: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SIM_OR_CUBE]", help="Simulation, cube, or the folder of a campaign."
        ),
    ] = None,
    spikes: SpikesFile = None,
    circuit: CircuitFile = None,
) -> None:
    """Open the viewer with the layer loaded."""
    from napari_hexrecruit.storage.cubes import ENDINGS

    if sim_or_cube is not None and not sim_or_cube.exists():
        raise HexRecruitError(f"{sim_or_cube}: does not exist: give a simulation or a cube")
    beside = [f"--{n}" for n, file in (("spikes", spikes), ("circuit", circuit)) if file]
    is_result = sim_or_cube is not None and (
        sim_or_cube.is_dir() or sim_or_cube.name.endswith(ENDINGS)
    )
    if sim_or_cube is not None and sim_or_cube.is_file() and not is_result:
        _check_is_simulation(sim_or_cube)
    if beside and is_result:
        raise HexRecruitError(
            f"{sim_or_cube}: is an existing cube; {', '.join(beside)} applies only to simulations"
        )
    if sim_or_cube is None and len(beside) == 1:
        raise ValueError("name a simulation, or both --spikes and --circuit")
    if not _has_screen():
        raise HexRecruitError(
            "there is no screen here: use 'hexrecruit movie', or connect one (DISPLAY is not set)"
        )
    _launch(sim_or_cube, spikes, circuit)


def _check_is_simulation(path: Path) -> None:
    """Refuse a file of another kind before the viewer opens; a campaign is allowed."""
    from napari_hexrecruit.campaign import MANIFEST
    from napari_hexrecruit.storage.kinds import instead_of

    other = None if path.name == MANIFEST else instead_of(path, "simulation")
    if other is not None:
        raise other


def _launch(path: Path | None, spikes: Path | None = None, circuit: Path | None = None) -> None:
    try:
        from napari_hexrecruit._napari.launch import launch
    except ImportError as error:
        raise MissingExtraError(
            f"napari is not installed ({error}): pip install 'napari-hexrecruit[all]'"
        ) from error
    end_at_once()
    launch(path, spikes, circuit)


def _has_screen() -> bool:
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
