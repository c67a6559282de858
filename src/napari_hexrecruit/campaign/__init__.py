"""Many simulations: one cube each, computed on many processes or machines, and one dataset of all.

`read_campaign` finds the simulations and their scan parameters.
"""

from napari_hexrecruit.campaign._sources import Campaign, Member, read_campaign

__all__ = ["Campaign", "Member", "read_campaign"]
