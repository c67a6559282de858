"""The first message leads on: what it says is typed, and gives a cube."""

from __future__ import annotations

import re
import shlex

import pytest
from tests.support.published_kinds import KINDS, Files

from napari_hexrecruit.cli import main
from napari_hexrecruit.storage.cubes import read_cube

_NAMES = "flat|population|node-set|run|spikes|circuit"
_OPTION = re.compile(rf"--({_NAMES}) ('[^']*'|[^\s,;:?)]+)(?: (\w+))?")


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Exit status and what stands on standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0), capsys.readouterr().err


def typed(message: str, files: Files) -> list[str]:
    """Options of a message as a user types them, who knows where the files are.

    With both a spikes file and a circuit, the configuration is left out.
    """
    known = {"spikes": files.spikes, "circuit": files.folder / files.circuit_name}
    chosen: dict[str, list[str]] = {}
    for option, value, second in _OPTION.findall(message):
        if option in chosen:
            continue
        if option == "flat":
            chosen[option] = [value, second]
        elif value == "FILE":
            chosen[option] = [str(known[option])]
        else:
            chosen[option] = ["cortex" if value == "P" else shlex.split(value)[0]]
    words = [word for option, values in chosen.items() for word in (f"--{option}", *values)]
    bare = {"spikes", "circuit"} <= set(chosen)
    return words if bare else [str(files.given or files.config), *words]


def one_line(message: str) -> bool:
    lines = message.splitlines()
    errors = [line for line in lines if not line.startswith("warning")]
    return len(errors) == 1 and errors[0].startswith("hexrecruit: ") and "Traceback" not in message


def test_there_are_as_many_kinds_as_were_tried_in_the_wild():
    assert len(KINDS) >= 132


@pytest.mark.parametrize("name", KINDS)
def test_the_first_message_leads_to_a_cube(name, tmp_path, capsys):
    kind, output = KINDS[name], tmp_path / "a.hexrecruit.nc"
    files, correction = kind.write(tmp_path / "files")
    given = files.given or files.config
    status, message = answer(capsys, "cube", given, "-o", output)
    if status == 0:
        assert kind.places == "ss_flat"
        assert not kind.obstacle
        return
    assert status == 2
    assert one_line(message)
    if correction == "impossible":
        assert typed(message, files) != [] and message.count(": ") >= 2
        return
    words = typed(message, files)
    if correction is not None:  # a file is to be corrected: the message names it, and what is wrong
        file, wrong, right = correction
        assert file in message
        assert wrong.strip('"') in message
        path = files.folder / file
        path.write_text(path.read_text().replace(f'"{wrong.strip(chr(34))}"', quoted(right)))
        words = [str(given)]
    status, again = answer(capsys, "cube", *words, "-o", output)
    assert status == 0, f"{message}{words}\n{again}"
    cube = read_cube(output)
    assert int(cube["n_spikes"].sum()) == 12


def quoted(value: str) -> str:
    return value if value.isdigit() else f'"{value}"'
