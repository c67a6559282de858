"""What does the stimulus change?"""

from pathlib import Path

from napari_hexrecruit import (
    compare,
    recruitment_cube,
    render_frames,
    write_frame,
    write_html,
    z_score,
)
from napari_hexrecruit.analysis import cut
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

config = Path("sample/simulation_config.json")
if not config.exists():
    write_simulation(config.parent, MEDIUM)

# 100 ms before the first stimulus (at 100 ms), and 100 ms after it.
cube = recruitment_cube(config)
before, after = cut(cube, 0.0, 100.0), cut(cube, 100.0, 200.0)

change = compare(after, before, names=("after", "before"))
difference = change["difference"]
peak = difference.isel(difference.argmax(["time", "hex"]))
print(
    f"at most {float(peak):.1f} percentage points more,"
    f" in {peak['hex'].item()} {float(peak['time']):.0f} ms after the stimulus"
)

score = z_score(after, before)["z_score"]
n_recruited = int((score > 5).any("time").sum())
print(f"{n_recruited} of {score.sizes['hex']} hexagons rise by more than 5 standard deviations")

frames = render_frames(change, metric="difference", size=(900, 560))
write_frame(frames, "change.png", at=50.0, overwrite=True)

title = "After the stimulus minus before it"
write_html(change, "change.html", metric="difference", title=title, overwrite=True)
