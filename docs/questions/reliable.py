"""How reliable is it?"""

from pathlib import Path

from napari_hexrecruit import (
    cut_trials,
    open_simulation,
    recruitment_cube,
    reliability,
    render_frames,
    trial_mean,
    with_maps,
    write_frame,
    write_html,
)
from napari_hexrecruit.analysis import input_onsets
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

config = Path("sample/simulation_config.json")
if not config.exists():
    write_simulation(config.parent, MEDIUM)

sim = open_simulation(config)
onsets = input_onsets(sim.configuration["inputs"], "stimulus_*")
print("onsets:", ", ".join(f"{onset:g}" for onset in onsets), "ms")

trials = cut_trials(recruitment_cube(sim), onsets, before=100.0, after=200.0)
mean, map_ = trial_mean(trials), reliability(trials)

crest = mean["recruitment"].isel(mean["recruitment"].argmax(["time", "hex"]))
sem = mean["recruitment_sem"].sel(hex=crest["hex"], time=crest["time"])
print(
    f"{crest['hex'].item()} peaks at {float(crest):.0f} ± {float(sem):.0f} %"
    f" (mean and standard error of {trials.sizes['trial']} trials)"
)
silent = int(map_.isnull().sum())
print(f"correlation between trials: {float(map_.median()):.2f} (median over hexagons)")
print(f"{silent} hexagons never fire, and have none")

frames = render_frames(
    with_maps(mean, map_).isel(time=[0]),
    metric="reliability",
    timestamp=False,
    size=(900, 560),
)
write_frame(frames, "reliable.png", overwrite=True)

write_html(mean, "reliable.html", title="Mean of three trials", overwrite=True)
