"""Files that a simulation is opened from. Knows neither napari nor Qt."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.storage.cubes import ENDINGS

if TYPE_CHECKING:
    from napari_hexrecruit._napari.recruitment.settings import Settings
    from napari_hexrecruit.pipeline.findings import Finding
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation

CONFIGURATIONS = "*simulation_config*.json"
"""Pattern of the names of simulation configurations."""


def configuration_in(path: Path) -> Path:
    """Return the simulation configuration in a folder; return a file or a cube's folder unchanged.

    Raises
    ------
    SimulationDataError
        If the folder holds no configuration, or several.
    """
    if not path.is_dir() or path.name.endswith(ENDINGS):
        return path
    found = sorted(path.glob(CONFIGURATIONS))
    if len(found) == 1:
        return found[0]
    if not found:
        remedy = "drop the configuration, or the folder that it is in"
        raise SimulationDataError(path, "the folder has no simulation_config.json", remedy)
    names = ", ".join(file.name for file in found[:3]) + ", ..." * (len(found) > 3)
    raise SimulationDataError(
        path, f"the folder has {len(found)} simulation configurations ({names})", "drop one of them"
    )


@dataclass(frozen=True)
class Sources:
    """A configuration, and the files that replace those it names.

    Parameters
    ----------
    path
        SONATA simulation configuration; None if spikes and circuit are given.
    spikes, circuit
        Spikes file and circuit configuration; None: those that the configuration names.
    run
        Run of a configuration with several; None: not chosen.
    """

    path: Path | None = None
    spikes: Path | None = None
    circuit: Path | None = None
    run: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Sources:
        """Return the files of the last session."""
        recipe = settings.recipe
        chosen = (recipe.configuration, recipe.spikes, recipe.circuit)
        path, spikes, circuit = (Path(text) if text else None for text in chosen)
        return cls(path, spikes, circuit, recipe.run)

    @classmethod
    def given(cls, simulation: Simulation) -> Sources:
        """Return the files of an opened simulation, as absolute paths."""
        files = {name: Path(text) for name, text in simulation.given.items()}
        return cls(**files, run=simulation.run)

    def named_in(self, recipe: CubeRecipe) -> CubeRecipe:
        """Return a recipe with these files."""
        path, spikes, circuit = (
            None if file is None else str(file) for file in (self.path, self.spikes, self.circuit)
        )
        return recipe.replace(simulation=path, spikes=spikes, circuit=circuit, run=self.run)

    @property
    def texts(self) -> dict[str, str]:
        """The paths as text for the fields; empty for a missing one."""
        files = {"path": self.path, "spikes": self.spikes, "circuit": self.circuit}
        return {name: "" if file is None else str(file) for name, file in files.items()}

    @property
    def is_mistyped(self) -> bool:
        """Whether a file does not exist."""
        return any(text and not os.path.exists(text) for text in self.texts.values())

    @property
    def enough(self) -> bool:
        """Whether the files are enough to open a simulation."""
        return self.path is not None or (self.spikes is not None and self.circuit is not None)

    @property
    def there(self) -> bool:
        """Whether the files are enough to open a simulation, and all exist."""
        given = (self.path, self.spikes, self.circuit)
        return self.enough and all(file is None or file.is_file() for file in given)

    @property
    def main(self) -> Path:
        """The file that represents all: the configuration, or else the spikes file."""
        return self.path or self.spikes or Path()

    def open(self) -> Simulation:
        """Open the files; raise as `napari_hexrecruit.open_simulation`."""
        return open_simulation(self.path, spikes=self.spikes, circuit=self.circuit, run=self.run)

    def check(self, progress: Progress) -> list[Finding]:
        """Check the files, as `napari_hexrecruit.pipeline.check.check_simulation`."""
        from napari_hexrecruit.pipeline.check import check_simulation

        return check_simulation(
            self.path,
            spikes=self.spikes,
            circuit=self.circuit,
            run=self.run,
            progress=progress,
            words=in_panel,
        )
