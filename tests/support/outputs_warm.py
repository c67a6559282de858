"""Does everything once on import, for the server that commands are forked from."""

from __future__ import annotations

import signal
import tempfile
import threading
from pathlib import Path

import dask.array
import imageio_ffmpeg
import pytest
import tqdm
import typer.main
import zarr
from tests.support.commands_once import put_together_once

from napari_hexrecruit import (
    open_simulation,
    read_cube,
    recruitment_cube,
    render_frames,
    write_cube,
    write_movie,
)
from napari_hexrecruit.campaign import _imported
from napari_hexrecruit.cli import app
from napari_hexrecruit.render.picture import write_frame
from napari_hexrecruit.synthetic import write_simulation

IMPORTED = (dask.array, zarr, _imported)
"""Only imported: what they do starts threads, which forked processes would lack."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)
put_together_once(pytest.MonkeyPatch())
typer.main.get_command(app)
tqdm.tqdm.set_lock(threading.RLock())  # its own is a semaphore, which killed processes leave
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    simulation = open_simulation(write_simulation(folder / "simulation", n_neurons=200))
    cube = recruitment_cube(simulation)
    write_cube(cube, folder / "a.hexrecruit.nc")
    frames = render_frames(read_cube(folder / "a.hexrecruit.nc"), size=(64, 64), stop=20.0)
    write_movie(frames, folder / "frames")
    for ending in ("png", "svg", "pdf"):
        write_frame(frames, folder / f"a.{ending}", at=0.0)
    imageio_ffmpeg.get_ffmpeg_exe()
