"""Which waves are there?"""

from pathlib import Path

from napari_hexrecruit import recruitment_cube, render_frames, with_maps, write_frame, write_html
from napari_hexrecruit.analysis import (
    find_waves,
    local_velocity,
    velocity_arrows,
    wave_latency,
    waves_summary,
    waves_table,
)
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

config = Path("sample/simulation_config.json")
if not config.exists():
    write_simulation(config.parent, MEDIUM)

cube = recruitment_cube(config)
found = find_waves(cube)

table = waves_table(found)
columns = ["wave", "start_ms", "n_hexes", "origin_x", "origin_y", "kind", "speed", "interval_ms"]
print(table[columns].round(1).to_string(index=False))

summary = waves_summary(found)
speeds = summary["speeds"]
print(f"\n{summary['n_waves']} waves, {summary['rate_per_s']:.3g} per second")
print(
    f"speed: median {speeds['median']:.1f} µm/ms, quartiles {speeds['low']:.1f}"
    f" to {speeds['high']:.1f}"
)

first = wave_latency(found, 1)
velocity = local_velocity(first)
sources = velocity["hex"].values[velocity["source"].values].tolist()
print(f"the first begins in {', '.join(sources)}")

frames = render_frames(
    with_maps(cube, first).isel(time=[0]),
    metric="half_peak_latency",
    outlines=velocity_arrows(velocity),
    timestamp=False,
    size=(900, 560),
)
write_frame(frames, "waves.png", overwrite=True)

write_html(found, "waves.html", metric="wave", title="Waves of the sample", overwrite=True)
