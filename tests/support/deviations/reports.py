"""Reports that cannot be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.deviations.classic import N_NEURONS, deviation
from tests.support.report_files import name_report, write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_FRAMES = 200
FILE = "{folder}/output/soma_v.h5"
GROUP = f"{FILE}: /report/cortex"
OTHER = "--report NAME"
FIT = f"{N_NEURONS} neurons and {N_NEURONS} elements: is the file complete? write the report again"
SHOW: dict[str, Any] = {"options": {"report": "soma_v"}}


def report(folder: Path, change: Callable[[Any], None] | None = None, **written: Any) -> Path:
    """Write a report that is named in the configuration, and change its group."""
    values = np.zeros((N_FRAMES, int(np.sum(written.get("n_each", N_NEURONS)))))
    file = write_report(folder / "output" / "soma_v.h5", values, **written)
    name_report(folder / "simulation_config.json")
    if change is not None:
        with h5py.File(file, "r+") as opened:
            change(opened["report/cortex"])
    return file


def put(name: str, index: Any, value: Any) -> Callable[[Any], None]:
    def change(group: Any) -> None:
        group[name][index] = value

    return change


@deviation(
    "the file of a listed report is missing",
    refused=f"{FILE}: the report does not exist: run the simulation, or name another one with "
    f"{OTHER}",
    **SHOW,
)
def report_missing(folder: Path) -> None:
    report(folder).unlink()


@deviation(
    "a report without mapping",
    refused=f"{GROUP}: has no group 'mapping', so its values are of no neuron: write the report "
    f"again, or name another one with {OTHER}",
    **SHOW,
)
def report_without_mapping(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["mapping"]

    report(folder, change)


@deviation(
    "pointers of a report exceed its elements",
    refused=f"{GROUP}/mapping: has 61 pointers, from 0 to 65, which do not fit {FIT}",
    **SHOW,
)
def report_pointers_beyond(folder: Path) -> None:
    report(folder, put("mapping/index_pointers", -1, N_NEURONS + 5))


@deviation(
    "pointers of a report decrease",
    refused=f"{GROUP}/mapping: has 61 pointers, from 0 to 60, which do not fit {N_NEURONS} neurons"
    f" and {N_NEURONS} elements (2 follows 6): is the file complete? write the report again",
    **SHOW,
)
def report_pointers_descend(folder: Path) -> None:
    report(folder, put("mapping/index_pointers", 7, 2))


@deviation(
    "a report with fewer pointers than neurons",
    refused=f"{GROUP}/mapping: has 52 pointers, from 0 to 51, which do not fit {FIT}",
    **SHOW,
)
def report_pointers_few(folder: Path) -> None:
    def change(group: Any) -> None:
        pointers = group["mapping/index_pointers"][:-9]
        del group["mapping/index_pointers"]
        group["mapping/index_pointers"] = pointers

    report(folder, change)


@deviation(
    "a report of neurons that the population lacks",
    refused=f"{GROUP}/mapping: has 3 ids, such as 1000, that population 'cortex' lacks: is it the "
    "report of another circuit? give the one that it was recorded in",
    **SHOW,
)
def report_of_unknown_neurons(folder: Path) -> None:
    report(folder, put("mapping/node_ids", slice(0, 3), [1000, 1001, 1002]))


@deviation(
    "a report contains a neuron twice",
    refused=f"{GROUP}/mapping: lists neuron 2 twice: write the report again",
    **SHOW,
)
def report_with_a_neuron_twice(folder: Path) -> None:
    report(folder, put("mapping/node_ids", 3, 2))


@deviation(
    "a report with fewer frames than its times require",
    refused=f"{GROUP}/data: has 200 frames, and its times are of 400 (0 to 200 ms in steps of "
    "0.5 ms): is it complete? run the simulation again",
    **SHOW,
)
def report_with_few_frames(folder: Path) -> None:
    report(folder, time=(0.0, 200.0, 0.5))


@deviation(
    "a truncated report",
    refused=f"{FILE}: the report is cut off, its end is missing: is it complete? copy it again",
    **SHOW,
)
def report_cut_off(folder: Path) -> None:
    file = report(folder)
    file.write_bytes(file.read_bytes()[:-20_000])


@deviation(
    "a report with a value that is not a number",
    refused=f"{GROUP}/data: has a value of neuron 4 that is not finite, in the bin from 10 ms: "
    "leave the neuron out with a filter, choose another window, or record again",
    **SHOW,
)
def report_with_nan(folder: Path) -> None:
    report(folder, put("data", (25, 4), np.nan))


@deviation(
    "a report of compartments without the soma",
    refused=f"{GROUP}: has several elements of neuron 0 and none with element_id 0, the soma "
    "(60 neurons are so): write a report of the soma (sections: soma)",
    **SHOW,
)
def report_of_compartments(folder: Path) -> None:
    report(
        folder,
        ids=np.arange(N_NEURONS),
        n_each=np.full(N_NEURONS, 3),
        elements=np.tile([4, 5, 6], N_NEURONS),
    )


@deviation(
    "a report of another population",
    refused=f"{FILE}: has no population of the circuit; it is of: thalamus: name another report "
    f"with {OTHER}, or another population with --population P",
    **SHOW,
)
def report_of_another_population(folder: Path) -> None:
    report(folder, population="thalamus")


@deviation(
    "a report with times in seconds",
    refused=f"{GROUP}/mapping/time: is in 's': write the report again, with times in ms",
    **SHOW,
)
def report_in_seconds(folder: Path) -> None:
    def change(group: Any) -> None:
        group["mapping/time"].attrs["units"] = "s"

    report(folder, change)


@deviation(
    "a report with times in seconds, and the attribute is called `Unit`",
    refused=f"{GROUP}/mapping/time: is in 's': write the report again, with times in ms",
    **SHOW,
)
def report_with_attribute_unit(folder: Path) -> None:
    def change(group: Any) -> None:
        group["mapping/time"].attrs.pop("units", None)
        group["mapping/time"].attrs["Unit"] = "s"

    report(folder, change)


@deviation(
    "a report whose step is 0",
    refused=f"{GROUP}/mapping/time: is 0 to 100 ms in steps of 0 ms, which is impossible: write "
    "the report again",
    **SHOW,
)
def report_without_step(folder: Path) -> None:
    report(folder, put("mapping/time", 2, 0.0))


@deviation(
    "a report of text",
    refused=f"{GROUP}/data: is |S1 of shape ({N_FRAMES}, {N_NEURONS}), not numbers (frame, "
    f"element): name another report with {OTHER}",
    **SHOW,
)
def report_of_text(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["data"]
        group["data"] = np.array([[b"a"] * N_NEURONS] * N_FRAMES)

    report(folder, change)
