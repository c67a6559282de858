"""Many simulations: one cube each, computed on many processes or machines, and one dataset of all.

`list_simulations` finds the simulations and their scan parameters, `run_campaign` computes and
collects the cubes, `open_campaign` opens the dataset, and `select_cube` selects a cube from it.
"""

from napari_hexrecruit.campaign._dataset import (
    DATASET,
    cube_at,
    is_campaign_store,
    open_campaign,
    parameters_of,
    select_cube,
    validate_campaign,
)
from napari_hexrecruit.campaign._manifest import MANIFEST
from napari_hexrecruit.campaign._run import CampaignResult, computed_campaign, run_campaign
from napari_hexrecruit.campaign._sources import Campaign, Member, list_simulations
from napari_hexrecruit.campaign._windows import merge_windows

__all__ = [
    "DATASET",
    "MANIFEST",
    "Campaign",
    "CampaignResult",
    "Member",
    "computed_campaign",
    "cube_at",
    "is_campaign_store",
    "list_simulations",
    "merge_windows",
    "open_campaign",
    "parameters_of",
    "run_campaign",
    "select_cube",
    "validate_campaign",
]
