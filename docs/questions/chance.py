"""Is it more than chance?"""

from dataclasses import replace
from pathlib import Path

from napari_hexrecruit import cut_trials, recruitment_cube, render_frames, write_frame, write_html
from napari_hexrecruit.analysis import cluster_test, clusters_table
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

onsets = tuple(range(100, 3100, 300))  # a test needs more trials than the sample has
config = Path("ten-stimuli/simulation_config.json")
if not config.exists():
    write_simulation(config.parent, replace(MEDIUM, stimuli_ms=onsets, tstop_ms=3000.0))

cube = recruitment_cube(config, bin_ms=20.0)
trials = cut_trials(cube, onsets, before=80, after=80)
found = cluster_test(trials)

table = clusters_table(found)
significant = table[table["p"] <= 0.05]
print(significant.round(3).to_string(index=False))
print(f"\n{len(significant)} of {len(table)} clusters have p at most 0.05")

frames = render_frames(found, metric="difference", size=(900, 560))
write_frame(frames, "chance.png", at=40.0, overwrite=True)

write_html(found, "chance.html", metric="difference", title="More than chance", overwrite=True)
