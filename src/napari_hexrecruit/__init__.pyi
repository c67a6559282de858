from ._napari.layers.adding import add_recruitment_layer
from ._napari.layers.layer import RecruitmentLayer
from ._version import __version__
from .analysis.comparison import align, compare, z_score
from .analysis.maps import hex_map, with_maps
from .analysis.traces import hex_traces
from .analysis.trial_results import reliability, trial_mean
from .analysis.trials import count_trials, cut_trials
from .analysis.waves import fit_wave
from .campaign import (
    list_simulations,
    open_campaign,
    run_campaign,
    select_cube,
)
from .conform import as_cube
from .counting.members import HexMembers
from .errors import (
    HexRecruitError,
    MissingExtraError,
    RecruitmentWarning,
    SimulationDataError,
)
from .hexgrid import HexGrid
from .pipeline.afferents import afferents
from .pipeline.check import check_simulation
from .pipeline.cubes import cumulative_cube, large_cube, recruitment_cube
from .pipeline.findings import Finding
from .pipeline.members import cube_members, cube_spikes
from .recipe import CubeRecipe
from .render.frames import render_frames
from .render.movie import write_movie
from .render.picture import write_frame
from .render.scene import Underlay
from .render.style import Mark, MovieStyle
from .render.web.notebook import HtmlPlayer, show
from .render.web.writer import write_html
from .schema import validate_cube
from .sonata import Simulation, open_simulation
from .storage.cubes import read_cube, write_cube
from .timebins import TimeBins

__all__ = [
    "CubeRecipe",
    "Finding",
    "HexGrid",
    "HexMembers",
    "HexRecruitError",
    "HtmlPlayer",
    "Mark",
    "MissingExtraError",
    "MovieStyle",
    "RecruitmentLayer",
    "RecruitmentWarning",
    "Simulation",
    "SimulationDataError",
    "TimeBins",
    "Underlay",
    "__version__",
    "add_recruitment_layer",
    "afferents",
    "align",
    "as_cube",
    "check_simulation",
    "compare",
    "count_trials",
    "cube_members",
    "cube_spikes",
    "cumulative_cube",
    "cut_trials",
    "fit_wave",
    "hex_map",
    "hex_traces",
    "large_cube",
    "list_simulations",
    "open_campaign",
    "open_simulation",
    "read_cube",
    "recruitment_cube",
    "reliability",
    "render_frames",
    "run_campaign",
    "select_cube",
    "show",
    "trial_mean",
    "validate_cube",
    "with_maps",
    "write_cube",
    "write_frame",
    "write_html",
    "write_movie",
    "z_score",
]
