"""The widget "Flat map": maps under and over the hexagons, and their alignment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from magicgui.widgets import CheckBox, Container, Widget
from napari.layers import Layer
from napari.utils.notifications import show_warning
from napari.viewer import Viewer

from napari_hexrecruit._napari.flatmap.alignment import Fit, Neurons, fit, read_neurons
from napari_hexrecruit._napari.flatmap.form import ATLAS, IMAGE, NOT_CHECKED, FlatMapForm
from napari_hexrecruit._napari.flatmap.layers import (
    Role,
    dot_colours,
    dots,
    layer_units,
    layers_of,
)
from napari_hexrecruit._napari.flatmap.map_layers import MapLayers
from napari_hexrecruit._napari.flatmap.sources import (
    FlatMap,
    atlas_map,
    check_one_sheet,
    image_map,
    neuron_map,
    said_by,
)
from napari_hexrecruit._napari.layers.adding import set_stage, warm_up
from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.layers.simulation_source import SimulationSource, source_of
from napari_hexrecruit._napari.recruitment.choices import simulation_choices
from napari_hexrecruit._napari.widgets.in_turn import InTurn
from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.parts import (
    FileDrops,
    only_one,
    scrolled,
    show_on_bar,
)
from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.flatmap import FlatImage, Nudge, write_sidecar
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.progress import Progress

TITLE = "Flat map"

_REGION = "region"
_Checked = tuple[str, tuple[str, str], Neurons]
_Added = tuple[FlatMap, list[tuple[Role, Layer]], str]


class FlatMapWidget(Container[Widget]):
    """Panel that puts flat maps under and over the hexagons, and checks their alignment.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.

    Attributes
    ----------
    form
        The fields.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(labels=False)
        self._viewer = napari_viewer
        self.form = FlatMapForm()
        self._maps: dict[str, FlatMap] = {}
        self._neurons: tuple[str, Neurons] | None = None
        self._layers = MapLayers(napari_viewer)
        self._lay_out()
        self._reading = Jobs(lambda _: None, self.native)
        self._working = Jobs(self._show_progress, self.native)
        self._inserting = InTurn(self.native)
        self._asking = Jobs(lambda _: None, self.native)
        self._asked: SimulationSource | None = None
        self._connect()
        self._ask_columns()
        warm_up()

    @property
    def busy(self) -> bool:
        """Whether a thread works for the panel."""
        jobs = (self._reading, self._working, self._asking)
        return self._inserting.running or any(one.running for one in jobs)

    def _lay_out(self) -> None:
        self._panel = scrolled(self, self.form.sections, stretch=1)  # else texts would stretch
        for field in (self.form.file, self.form.flatmap):
            field.line_edit.native.setAcceptDrops(False)  # it would insert the URL as text
        FileDrops(self.native, self._on_dropped)

    def _connect(self) -> None:
        form = self.form
        form.source.changed.connect(self._on_source_chosen)
        form.file.changed.connect(self._on_file_chosen)
        form.add.changed.connect(self.add)
        form.cancel.changed.connect(self._working.cancel)
        form.check.changed.connect(self.check)
        form.save.changed.connect(self.save)
        form.reset.changed.connect(self._on_reset)
        form.opacity.changed.connect(self._fade_hexagons)
        form.colour.changed.connect(self._colour_lines)
        for field, part in self._toggles():
            field.changed.connect(lambda shown, part=part: self._layers.toggle(part, shown))
        for moved in (form.dx, form.dy, form.turn, form.scale):
            moved.changed.connect(form.unless_quiet(self._on_nudged))
        for event, action in self._viewer_events():
            event.connect(action)
        self.native_parent_changed.connect(self._on_parent_changed)

    def _viewer_events(self) -> list[tuple[Any, Any]]:
        events = self._viewer.layers.events
        active = self._viewer.layers.selection.events.active
        return [
            (events.inserted, self._on_inserted),
            (events.removed, self._on_removed),
            (active, self._ask_columns),
        ]

    def _toggles(self) -> list[tuple[CheckBox, str]]:
        form = self.form
        return [
            (form.show_image, "image"),
            (form.show_regions, "regions"),
            (form.show_outlines, "outlines"),
            (form.show_names, "names"),
        ]

    # --- choosing ---------------------------------------------------------------------------------

    def _on_source_chosen(self) -> None:
        self.form.show_source()
        self._show_buttons()

    def _on_dropped(self, dropped: list[Path]) -> None:
        form = self.form
        try:
            path = only_one(dropped)
        except ValueError as mistake:
            form.status.refuse(reason_first(mistake), TITLE)
            return
        (form.flatmap if form.source.value == ATLAS else form.file).value = path

    def _on_file_chosen(self) -> None:
        """Read the placement from the image, once the typed text is the path of a file."""
        path = self.form.image_path
        self._reading.cancel()
        if path is None or not path.is_file():
            return
        self.form.say(None, "Reading ...")
        self._reading.start(lambda _: said_by(path), self._on_said)

    def _on_said(self, outcome: Outcome[tuple[FlatImage | None, str]]) -> None:
        """Show the placement; errors are reported only when the image is added."""
        self.form.say(*(outcome.value or (None, outcome.error or "")))

    def _ask_columns(self, event: object = None) -> None:
        """Offer the properties of the neurons of the hexagons, which a thread reads."""
        cube = self._cube()
        source = source_of(cube)
        if cube is None or source is None:
            self._asked = None
            self._asking.cancel()
            self.form.offer_columns([])
        elif source is not self._asked:
            self._asked = source
            self._asking.start(lambda _: _columns(source, cube), self._on_columns)

    def _on_columns(self, outcome: Outcome[list[str]]) -> None:
        """Offer the properties; errors are reported only when regions are added."""
        self.form.offer_columns(outcome.value or [])

    def _region_column(self) -> str:
        return str(self.form.region_column.value or _REGION)

    # --- adding -----------------------------------------------------------------------------------

    def add(self) -> None:
        """Read the chosen map in a thread, and add its layers."""
        try:
            work = self._work()
        except ValueError as mistake:
            self.form.status.refuse(reason_first(mistake), TITLE)
            return
        cube = self._cube()

        def made(progress: Progress) -> _Added:
            flat_map = work(progress)
            layers = layers_of(flat_map, layer_units(flat_map, cube))
            return flat_map, layers, flat_map.summary()

        self._working.start(made, self._on_made)
        self._show_buttons()

    def _work(self) -> Callable[[Progress], FlatMap]:
        form, cube = self.form, self._cube()
        if form.source.value in (IMAGE, ATLAS):
            check_one_sheet(cube)
        if form.source.value == IMAGE:
            path, placing = form.image_path, form.placing
            if path is None:
                raise ValueError("No image is chosen: choose or drop an image file first.")
            return lambda _: image_map(path, *placing)
        if form.source.value == ATLAS:
            files = form.atlas_files
            return lambda progress: atlas_map(files, cube, progress)
        name, density = self._region_column(), form.density.value
        return lambda progress: neuron_map(cube, name, density=density, progress=progress)

    def _on_made(self, outcome: Outcome[_Added]) -> None:
        if outcome.value is not None:
            self._show(*outcome.value)
        self._report(outcome)
        self._show_buttons()

    def _show(self, flat_map: FlatMap, layers: list[tuple[Role, Layer]], summary: str) -> None:
        """Replace the layers of the previous map from the same source."""
        is_first = len(self._viewer.layers) == 0
        self._layers.remove(flat_map.source)
        self._maps[flat_map.source], self._neurons = flat_map, None
        insert = [partial(self._insert, role, layer) for role, layer in layers]
        self._inserting.start([*insert, partial(self._on_inserted_all, is_first)])
        self.form.status.say(summary)
        self.form.result.value = NOT_CHECKED
        if flat_map.source == IMAGE and flat_map.image is not None:
            self.form.say_nudge(flat_map.image.nudge)

    def _on_inserted_all(self, is_first: bool) -> None:
        if is_first:
            set_stage(self._viewer)
        self._fade_hexagons()
        self._colour_lines()
        self._show_buttons()

    def _insert(self, role: Role, layer: Layer) -> None:
        shown = {part: field.value for field, part in self._toggles()}
        self._layers.insert(role, layer, shown=shown.get(role.part, True))

    # --- looking ----------------------------------------------------------------------------------

    def _colour_lines(self) -> None:
        self._layers.colour_lines(self.form.colour.value)

    def _fade_hexagons(self) -> None:
        """Make hexagons over an image transparent."""
        if self._layers.of(part="image"):
            for layer in self._viewer.layers:
                if cube_of(layer) is not None:
                    layer.opacity = self.form.opacity.value

    def _cube(self) -> xr.Dataset | None:
        """Return the cube of the selected hexagons, or else of the uppermost."""
        active = self._viewer.layers.selection.active
        cubes = (cube_of(layer) for layer in [active, *reversed(self._viewer.layers)])
        return next((cube for cube in cubes if cube is not None), None)

    # --- alignment --------------------------------------------------------------------------------

    def check(self) -> None:
        """Show neurons as dots, and the shares on the image and in their own regions."""
        source, cube, name = self.form.source.value, self._cube(), self._region_column()
        maps = sorted(self._maps.values(), key=lambda one: one.source != source)
        regions = [named for one in maps for named in one.regions]
        flat_map = self._maps[source]

        def work(progress: Progress) -> _Checked:
            units = layer_units(flat_map, cube)
            return source, units, read_neurons(cube, regions, name, progress)

        self._working.start(work, self._on_neurons_read)
        self._show_buttons()

    def _on_neurons_read(self, outcome: Outcome[_Checked]) -> None:
        if outcome.value is not None and outcome.value[0] in self._maps:
            source, units, neurons = outcome.value
            self._neurons = source, neurons
            self._show_dots(source, units, neurons)
        self._report(outcome)
        self._show_buttons()

    def _show_dots(self, source: str, units: tuple[str, str], neurons: Neurons) -> None:
        found = fit(neurons, self._maps[source].image)
        role, layer = dots(found, source, units)
        self._layers.remove("", "dots")
        self._insert(role, layer)
        self._show_fit(found)

    def _show_fit(self, found: Fit) -> None:
        self.form.result.value = "\n".join(found.lines())

    def _on_nudged(self) -> None:
        """Move the image immediately, and update the share of neurons on it."""
        flat_map = self._maps.get(IMAGE)
        if flat_map is None or flat_map.image is None:
            return
        image = replace(flat_map.image, nudge=self.form.chosen_nudge)
        self._maps[IMAGE] = replace(flat_map, image=image)
        for layer in self._layers.of(IMAGE, "image"):
            layer.affine = image.affine_yx
        if self._neurons is not None and self._neurons[0] == IMAGE:
            found = fit(self._neurons[1], image)
            for layer in self._layers.of(IMAGE, "dots"):
                layer.face_color = dot_colours(found)
            self._show_fit(found)

    def _on_reset(self) -> None:
        self.form.say_nudge(Nudge())
        self._on_nudged()

    def save(self) -> None:
        """Write the placement of the image into its sidecar file."""
        flat_map = self._maps[IMAGE]
        if flat_map.path is None or flat_map.image is None:
            return
        try:
            path = write_sidecar(flat_map.path, flat_map.image)
        except (HexRecruitError, OSError) as error:
            sentence = f"The alignment cannot be saved: {reason_first(error)}"
            self.form.status.refuse(sentence, TITLE)
            return
        self.form.status.say(f"Saved in {path.name}.")
        self.form.status.mended()

    def _report(self, outcome: Outcome[Any]) -> None:
        if outcome.error is not None:
            self.form.status.refuse(outcome.reason, TITLE)
        elif outcome.value is not None:
            self.form.status.mended()
        if outcome.warned:
            show_warning("; ".join(outcome.warned))

    # --- state of the panel -----------------------------------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        """Keep new hexagons below the outlines, and the image visible through them."""
        if self._layers.adding or cube_of(event.value) is None:
            return
        self._ask_columns()
        self._fade_hexagons()
        self._layers.keep_over()

    def _on_removed(self) -> None:
        for source in [] if self._inserting.running else list(self._maps):
            if not self._layers.of(source):
                del self._maps[source]
        self._ask_columns()
        self._show_buttons()

    def _show_buttons(self) -> None:
        form, running = self.form, self._working.running or self._inserting.running
        form.add.enabled, form.cancel.enabled = not running, running
        form.check.enabled = form.source.value in self._maps and not running
        form.save.enabled = form.reset.enabled = IMAGE in self._maps

    def _show_progress(self, monitor: Monitor | None) -> None:
        show_on_bar(self.form.progress, monitor)
        if monitor is None:
            self._show_buttons()

    def _on_parent_changed(self, parent: Any) -> None:
        """Stop all work when the panel leaves its window."""
        if parent is not None:
            return
        self._inserting.stop()
        for jobs in (self._reading, self._working, self._asking):
            jobs.cancel()
        for event, action in self._viewer_events():
            event.disconnect(action)


def _columns(source: SimulationSource, cube: xr.Dataset) -> list[str]:
    """Return the properties by which the neurons of a cube can be grouped."""
    simulation = source.simulation()
    populations = Populations.of(simulation, cube)
    shared, choices = populations.shared(), simulation_choices(simulation)
    return [one for one in choices.of(populations.names[0]).filter_columns if one in shared]
