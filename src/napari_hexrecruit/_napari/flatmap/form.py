"""The fields of the widget "Flat map": their labels, units, tooltips and order on the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, FileEdit, FloatSlider, PushButton, Widget

from napari_hexrecruit._napari.flatmap.sources import AtlasFiles
from napari_hexrecruit._napari.widgets.message import Message
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    file_field,
    heading,
    name_choice,
    number,
    progress_bar,
    row,
    text,
)
from napari_hexrecruit.flatmap import FlatImage, Nudge

IMAGE, ATLAS, NEURONS = "image", "atlas", "neurons"
_SOURCES = [("Image file", IMAGE), ("Atlas", ATLAS), ("From the neurons", NEURONS)]
_ATLAS_IMAGES = [
    ("Thickness", "thickness"),
    ("Number of voxels", "voxels"),
    ("Footprint", "footprint"),
]
_HEXAGON_OPACITY = 0.7
"""The map shows through the hexagons, and their colours are still distinct."""
_USUAL_REGIONS = ("region", "layer")
"""Properties that usually hold regions."""
_COLOURS = ["white", "black", "orange", "magenta"]
NOT_CHECKED = "Not checked."


class FlatMapForm:
    """The fields of the panel, and the user's choices.

    Attributes
    ----------
    sections
        Contents of the panel from top to bottom.
    """

    def __init__(self) -> None:
        self._quiet = False
        self.source = choice("Source", _SOURCES, "Where the map is from")
        of_source = self._source_fields()
        look = self._look_fields()
        buttons = self._add_fields()
        check = self._check_fields()
        nudge = self._nudge_fields()
        self.image, self.atlas, self.neurons = (column("", f, labels=True) for f in of_source)
        self.nudge = column("", [column("", nudge, labels=True), self._nudge_buttons()])
        self.sections: list[Widget] = [
            heading("Flat map"),
            column("", [self.source], labels=True),
            self.image,
            self.atlas,
            self.neurons,
            self.about,
            heading("Show"),
            column("", look, labels=True),
            *buttons,
            heading("Alignment"),
            *check,
            self.nudge,
        ]
        self.show_source()

    def show_source(self) -> None:
        """Show the fields of the chosen source."""
        chosen = self.source.value
        for name in (IMAGE, ATLAS, NEURONS):
            getattr(self, name).visible = name == chosen
        self.about.visible = chosen == IMAGE
        self.nudge.visible = chosen == IMAGE

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Change fields without reacting to the changes."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def unless_quiet(self, action: Callable[[], None]) -> Callable[[Any], None]:
        """Return a callback that acts only on changes by the user."""
        return lambda _: None if self._quiet else action()

    # --- what is chosen ---------------------------------------------------------------------------

    @property
    def image_path(self) -> Path | None:
        """File of the image; None without one."""
        return _path(self.file)

    @property
    def atlas_files(self) -> AtlasFiles:
        """Files of the atlas."""
        return AtlasFiles(
            flatmap=_path(self.flatmap),
            annotation=_path(self.annotation),
            hierarchy=_path(self.hierarchy),
            columns=_path(self.columns),
            image=self.atlas_image.value,
        )

    @property
    def placing(self) -> tuple[float | None, tuple[float, float] | None, float | None]:
        """Pixel size, origin and rotation; each None if it is as in the file."""
        size, x, y, turn = self._placing()
        said_size, said_x, said_y, said_turn = self._said
        return (
            None if size == said_size else size,
            None if (x, y) == (said_x, said_y) else (x, y),
            None if turn == said_turn else turn,
        )

    @property
    def chosen_nudge(self) -> Nudge:
        """Movement of the image that the fields describe."""
        return Nudge(self.dx.value, self.dy.value, self.turn.value, self.scale.value)

    def say(self, image: FlatImage | None, about: str) -> None:
        """Show the placement of an image from its file, or empty fields without an image."""
        size, origin, turn = (0.0, (0.0, 0.0), 0.0)
        if image is not None:
            size, origin, turn = image.pixel_size[0], image.origin, image.rotation_deg  # type: ignore[index]
        for field, value in zip(self._place_fields(), (size, *origin, turn), strict=True):
            field.value = value
        self._said = self._placing()
        self.about.value = about

    def offer_columns(self, columns: Sequence[str]) -> None:
        """Offer properties of the neurons; keep the chosen one if it is among them."""
        before = self.region_column.value
        self.region_column.choices = list(columns)
        for wanted in (before, *_USUAL_REGIONS):
            if wanted in columns:
                self.region_column.value = wanted
                return

    def say_nudge(self, nudge: Nudge) -> None:
        """Show the movement of an image."""
        with self.quiet():
            self.dx.value, self.dy.value = nudge.dx, nudge.dy
            self.turn.value, self.scale.value = nudge.rotation_deg, nudge.scale

    def _placing(self) -> tuple[float, float, float, float]:
        size, x, y, turn = (float(field.value) for field in self._place_fields())
        return size, x, y, turn

    def _place_fields(self) -> list[Any]:
        return [self.pixel_size, self.origin_x, self.origin_y, self.rotation]

    # --- fields -----------------------------------------------------------------------------------

    def _source_fields(self) -> tuple[list[Widget], list[Widget], list[Widget]]:
        return self._image_fields(), self._atlas_fields(), self._neuron_fields()

    def _image_fields(self) -> list[Widget]:
        self.file = file_field(
            "File",
            "Images (*.png *.tif *.tiff *.jpg *.jpeg *.nrrd)",
            "Image: PNG, TIFF, JPEG or a 2-D nrrd; it can also be dropped anywhere on this panel",
        )
        self.pixel_size = number(
            "Side of a pixel, µm of flat space; 0: as stored in the file",
            label="Pixel size",
            unit=" µm",
            decimals=3,
            step=0.5,
        )
        corner = "of the lower left corner of the image, µm"
        self.origin_x = number(f"Flat x {corner}", minimum=-LARGEST, step=10.0)
        self.origin_y = number(f"Flat y {corner}", minimum=-LARGEST, step=10.0)
        self.rotation = number(
            "Degrees counter-clockwise around the lower left corner",
            label="Rotation",
            unit="°",
            minimum=-LARGEST,
            decimals=2,
        )
        self._said = (0.0, 0.0, 0.0, 0.0)
        self.about = text("Choose an image, or drop it here.")
        origin = row("Origin, µm", [self.origin_x, self.origin_y])
        return [self.file, self.pixel_size, origin, self.rotation]

    def _atlas_fields(self) -> list[Widget]:
        volumes = "nrrd volumes (*.nrrd)"
        self.flatmap = file_field(
            "Flatmap",
            volumes,
            "Voxel flatmap: x and y, or x, depth and y of each voxel."
            " Empty: flatmap, regions and hierarchy of the circuit of the hexagons",
        )
        self.annotation = file_field("Regions", volumes, "Region of each voxel; may stay empty")
        self.hierarchy = file_field(
            "Hierarchy", "Hierarchies (*.json)", "Names and colours of the regions; may stay empty"
        )
        self.columns = file_field(
            "Columns", volumes, "Column of each voxel, 0 for none; may stay empty"
        )
        self.atlas_image = choice(
            "Image",
            _ATLAS_IMAGES,
            "Thickness of the cortex in µm where the flatmap has depths, else the footprint;"
            " voxels at each place; or where there are any",
        )
        return [self.flatmap, self.annotation, self.hierarchy, self.columns, self.atlas_image]

    def _neuron_fields(self) -> list[Widget]:
        self.region_column = name_choice(
            "Regions by",
            [],
            "Property of the neurons, of text or whole numbers; a hexagon is of the region"
            " of most of its neurons",
        )
        self.density = CheckBox(
            text="Neuron counts", value=True, tooltip="Show their number under the hexagons"
        )
        return [self.region_column, column("Image", [self.density])]

    def _look_fields(self) -> list[Widget]:
        self.show_image = CheckBox(text="Image", value=True, tooltip="Under the hexagons")
        self.show_regions = CheckBox(
            text="Filled regions", value=False, tooltip="In their colours, under the hexagons"
        )
        self.show_outlines = CheckBox(
            text="Outlines", value=True, tooltip="Borders of regions, over the hexagons"
        )
        self.show_names = CheckBox(
            text="Names",
            value=True,
            tooltip="Names of regions, over the hexagons; more than 80 are hidden at first",
        )
        self.opacity = FloatSlider(
            label="Hexagons",
            min=0.0,
            max=1.0,
            value=_HEXAGON_OPACITY,
            step=0.05,
            tooltip="Opacity of hexagons that lie over an image, 0 to 1",
        )
        under = column("", [self.show_image, self.show_regions])
        over = column("", [self.show_outlines, self.show_names])
        parts = row("Layers", [under, over])
        self.colour = choice("Lines", _COLOURS, "Colour of outlines and names")
        return [parts, self.colour, self.opacity]

    def _add_fields(self) -> list[Widget]:
        self.add = PushButton(
            text="Add",
            tooltip="Put the map under and over the hexagons, in place of its former one",
        )
        self.cancel = PushButton(text="Cancel", enabled=False, tooltip="Stop reading")
        self.progress = progress_bar()
        self.status = Message("Nothing is added.")
        return [row("", [self.add, self.cancel]), self.progress, self.status]

    def _check_fields(self) -> list[Widget]:
        self.check = PushButton(
            text="Check alignment",
            enabled=False,
            tooltip="Show up to 5,000 neurons of the hexagons as dots, those beside the image in"
            " red, and count those that lie on the image and in their own region",
        )
        self.result = text(NOT_CHECKED)
        return [self.check, self.result]

    def _nudge_fields(self) -> list[Widget]:
        self.dx = number("To the right, µm", minimum=-LARGEST, step=10.0)
        self.dy = number("Upwards, µm", minimum=-LARGEST, step=10.0)
        self.turn = number(
            "Degrees counter-clockwise around the centre of the image",
            label="Turn",
            unit="°",
            minimum=-LARGEST,
            step=0.5,
            decimals=2,
        )
        self.scale = number(
            "Factor of its size, around its centre",
            label="Scale",
            value=1.0,
            minimum=0.001,
            step=0.01,
            decimals=3,
        )
        return [row("Move, µm", [self.dx, self.dy]), self.turn, self.scale]

    def _nudge_buttons(self) -> Widget:
        self.save = PushButton(
            text="Save alignment",
            enabled=False,
            tooltip="Write place and movement into a small file beside the image, from where they"
            " are read next time",
        )
        self.reset = PushButton(
            text="Reset", enabled=False, tooltip="Move the image back to where its file puts it"
        )
        return row("", [self.save, self.reset])


def _path(field: FileEdit) -> Path | None:
    typed = field.line_edit.value.strip()
    return Path(typed).expanduser() if typed else None
