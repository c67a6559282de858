"""Names of folders and files that look like patterns or formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.deviations.classic import deviation, edit_json, edit_simulation, spikes_file

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "ca[1.0] 100%d #x"


@deviation("`nodes_file` lies in a folder `ca[1.0] 100%d #x`")
def nodes_in_a_folder_like_a_pattern(folder: Path) -> None:
    (folder / _FOLDER).mkdir()
    (folder / "nodes.h5").rename(folder / _FOLDER / "nodes.h5")
    edit_json(
        folder / "circuit_config.json",
        lambda circuit: circuit["networks"]["nodes"][0].update(nodes_file=f"{_FOLDER}/nodes.h5"),
    )


@deviation("`output_dir` is a folder `ca[1.0] 100%d #x`")
def spikes_in_a_folder_like_a_pattern(folder: Path) -> None:
    spikes_file(folder).parent.rename(folder / _FOLDER)
    edit_simulation(folder, lambda config: config["output"].update(output_dir=_FOLDER))


@deviation("the spikes file is called `*[?].h5`")
def spikes_file_like_a_pattern(folder: Path) -> None:
    spikes_file(folder).rename(spikes_file(folder).with_name("*[?].h5"))
    edit_simulation(folder, lambda config: config["output"].update(spikes_file="*[?].h5"))
