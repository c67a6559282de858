"""Simulations, cubes and samples as layers, for File > Open and files dropped on the canvas.

The readers return layers instead of layer data, so that these can have their own class.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path
from typing import Any

from napari.layers import Points
from napari.utils import progress as progress_bar
from napari.utils.notifications import show_warning
from napari.viewer import current_viewer

from napari_hexrecruit._napari.layers.adding import make_recruitment_layer, set_stage
from napari_hexrecruit._napari.layers.campaign_layer import make_campaign_layer
from napari_hexrecruit._napari.layers.flat_only import tell_of_3d
from napari_hexrecruit._napari.layers.pointer import follow_pointer
from napari_hexrecruit._napari.layers.room import keep_room
from napari_hexrecruit._napari.layers.saving import take_names_of_cubes
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment.sources import CONFIGURATIONS, configuration_in
from napari_hexrecruit._napari.recruitment.work import warnings_of
from napari_hexrecruit._napari.samples import SCHEME, sample_simulation
from napari_hexrecruit._napari.widgets.aside import aside
from napari_hexrecruit._napari.widgets.loading import Monitor
from napari_hexrecruit.campaign import DATASET, MANIFEST, is_campaign_store, open_campaign
from napari_hexrecruit.pipeline.cubes import computed_cube
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.storage.cubes import ENDINGS, read_cube

ReadFunction = Callable[[str], list[Points]]


def get_reader(path: str | list[str]) -> ReadFunction | None:
    """Return the function that reads a path.

    Parameters
    ----------
    path
        A SONATA simulation configuration, a folder that holds one, a cube, the dataset or the
        manifest of a campaign, or the address of a sample.

    Returns
    -------
    callable or None
        The function; None for several paths at once, for JSON that is not SONATA's and may belong
        to another plugin, and for folders without a simulation configuration.
    """
    if not isinstance(path, str):
        return None
    if path.startswith(SCHEME):
        return read_sample
    if is_campaign_store(path) or Path(path).name == MANIFEST:
        return list_simulations
    if path.rstrip("/\\").lower().endswith(ENDINGS):
        return read_cube_file
    if Path(path).is_dir():
        return read_folder if any(Path(path).glob(CONFIGURATIONS)) else None
    return read_simulation if _may_be_simulation(Path(path)) else None


def read_cube_file(path: str) -> list[Points]:
    """Read a cube.

    Raises
    ------
    SimulationDataError
        If the file is not a cube that this version reads.
    """
    name = Path(path).name
    ending = next(ending for ending in ENDINGS if name.lower().endswith(ending))
    return [_layer(aside(lambda _: read_cube(path)), name[: -len(ending)])]


def list_simulations(path: str) -> list[Points]:
    """Open the dataset of a campaign, with its parameters as sliders.

    Raises
    ------
    SimulationDataError
        If the dataset is missing, or cannot be read.
    HexRecruitError
        If this version of napari cannot show it.
    """
    folder = Path(path).parent
    campaign = aside(lambda _: open_campaign(path))
    name = folder.name if Path(path).name in (DATASET, MANIFEST) else Path(path).stem
    return [_dressed(lambda: make_campaign_layer(campaign, name=name))]


def read_simulation(path: str) -> list[Points]:
    """Compute the cube of a simulation with the default parameters, with progress in napari.

    Raises
    ------
    SimulationDataError
        If the file is not a simulation, or a file that it names cannot be read.
    ValueError
        If the default parameters do not suit the simulation.
    """
    with _progress(Path(path).parent.name) as shown:
        cube = aside(lambda progress: computed_cube(path, CubeRecipe(), progress=progress), shown)
    for sentence in warnings_of([cube]):
        show_warning(sentence)
    return [_layer(cube, f"{cube.attrs['population']} ({Path(path).parent.name})")]


def read_folder(path: str) -> list[Points]:
    """Read the simulation whose configuration is in a folder; raise as `read_simulation`.

    Raises
    ------
    SimulationDataError
        If the folder holds several configurations.
    """
    return read_simulation(str(configuration_in(Path(path))))


def read_sample(address: str) -> list[Points]:
    """Read a sample, which is written into the cache on first use.

    Raises
    ------
    ValueError
        If the name is not that of a sample.
    SimulationDataError
        If the cache is not writable.
    """
    name = address.removeprefix(SCHEME).strip("/")

    def compute(progress: Progress) -> Any:
        simulation = sample_simulation(name, progress)
        return computed_cube(simulation, CubeRecipe(), progress=progress)

    with _progress(f"sample {name}") as shown:
        cube = aside(compute, shown)
    return [_layer(cube, f"{cube.attrs['population']} ({name} sample)")]


def _may_be_simulation(path: Path) -> bool:
    """Return whether to read a JSON file, even a broken one or a circuit's, to report the fault."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "simulation_config" in path.name
    is_by_bmtk = isinstance(content, dict) and {"network", "simulation"} <= set(content)
    return is_by_bmtk or (isinstance(content, dict) and not {"run", "networks"}.isdisjoint(content))


def _layer(cube: Any, name: str) -> Points:
    return _dressed(lambda: make_recruitment_layer(cube, name=name))


def _dressed(make: Callable[[], Points]) -> Points:
    """Make a layer with a colour bar, and with the time as soon as napari has added it."""
    # napari sets the source of the layers that a reader returns, but refuses if a layer already has
    # one. A layer made while a sample is opened gets one from the context, so make the layer in an
    # empty context.
    layer = Context().run(make)
    layer.face_colorbar.visible = True
    viewer = current_viewer()
    if viewer is not None:
        _dress_on_arrival(viewer, layer)
    return layer


def _dress_on_arrival(viewer: Any, layer: Points) -> None:
    """Set up the viewer for the layer when napari has added it; for the first layer, turn y up."""

    def dress(event: Any) -> None:
        if event.value is layer:
            viewer.layers.events.inserted.disconnect(dress)
            follow_pointer(viewer)
            keep_room(viewer)
            show_time(viewer)
            if len(viewer.layers) == 1:
                set_stage(viewer)
            tell_of_3d(viewer)
            take_names_of_cubes(viewer)

    viewer.layers.events.inserted.connect(dress, position="last")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[Monitor], None]]:
    """Show a progress bar in napari's activity dock."""
    bar = progress_bar(total=0, desc=title)

    def report(at: Monitor) -> None:
        bar.total = at.total
        bar.set_description(f"{title}: {at.what}")
        bar.update(at.done - bar.n)

    try:
        yield report
    finally:
        bar.close()
