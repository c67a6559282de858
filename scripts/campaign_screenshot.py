"""Take a screenshot of a campaign in the viewer: two scan parameters and time as sliders.

Usage: scripts/with-display.sh python scripts/campaign_screenshot.py [FILE]
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from pathlib import Path

import napari
from qtpy.QtTest import QTest

from napari_hexrecruit.campaign import list_simulations, run_campaign
from napari_hexrecruit.synthetic import Story, write_simulation

WINDOW = (1360, 960)
CROSSING_MS = (120.0, 180.0, 240.0, 300.0)
SEEDS = (1, 2, 3)
SHOWN = {"crossing_ms": 240.0, "seed": 2, "time": 190.0}


def photograph_campaign(path: Path) -> None:
    """Compute simulations of 4 x 3 parameters, collect them and open them in napari."""
    with tempfile.TemporaryDirectory() as place:
        top = Path(place)
        runs = []
        for k, (crossing, seed) in enumerate(itertools.product(CROSSING_MS, SEEDS)):
            story = Story(60_000, seed, stimuli_ms=(50.0,), tstop_ms=400.0, crossing_ms=crossing)
            write_simulation(top / str(k), story)
            runs.append({"path": str(k), "parameters": {"crossing_ms": crossing, "seed": seed}})
        (top / "campaign.json").write_text(json.dumps({"simulations": runs}))
        run_campaign(list_simulations(top / "campaign.json"), top / "waves")
        viewer = napari.Viewer(title="Campaign")
        viewer.theme = "dark"
        viewer.window.resize(*WINDOW)
        viewer.open(top / "waves" / "campaign.hexrecruit.json", plugin="napari-hexrecruit")
        for name, value in SHOWN.items():
            viewer.dims.set_point(viewer.dims.axis_labels.index(name), value)
        viewer.reset_view()
        QTest.qWait(500)
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        viewer.close()
    print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "docs" / "_static" / "campaign-dark.png"
    photograph_campaign(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
