"""Which part is recruited first?"""

from pathlib import Path

from napari_hexrecruit import (
    fit_wave,
    hex_map,
    recruitment_cube,
    render_frames,
    with_maps,
    write_frame,
    write_html,
)
from napari_hexrecruit.analysis import isochrones
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

config = Path("sample/simulation_config.json")
if not config.exists():
    write_simulation(config.parent, MEDIUM)

# The first stimulus begins at 100 ms, the second one at 400 ms.
cube = recruitment_cube(config)
latency = hex_map(cube, "half_peak_latency", onset=100.0, until=400.0)

first = latency.idxmin("hex").item()
n_responding = int(latency.notnull().sum())
print(f"{n_responding} of {latency.size} hexagons respond, {first} first")
print(f"half of them have risen {float(latency.median()):.0f} ms after the stimulus")

wave = fit_wave(latency)
print(wave.why)

lines = [isochrone.line for isochrone in isochrones(wave, latency, step=25.0)]
frames = render_frames(
    with_maps(cube, latency).isel(time=[0]),
    metric="half_peak_latency",
    outlines=lines,
    timestamp=False,
    size=(900, 560),
)
write_frame(frames, "first.png", overwrite=True)

write_html(cube, "first.html", title="Waves in the sample", outlines=lines, overwrite=True)
