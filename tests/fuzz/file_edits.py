"""Changes to the structure of a file, by its format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
from tests.fuzz.h5_edits import edit_h5
from tests.fuzz.image_edits import made_image
from tests.fuzz.json_edits import rewritten
from tests.fuzz.text_edits import edited_lines

if TYPE_CHECKING:
    from pathlib import Path


def edit_json(path: Path, edits: list[list[Any]]) -> None:
    content = path.read_bytes()
    try:
        json.loads(content)
    except ValueError:  # a start that is none already
        return
    path.write_bytes(rewritten(content, edits))


def edit_text(path: Path, edits: list[list[Any]]) -> None:
    text = edited_lines(path.read_text(), edits)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def edit_nrrd(path: Path, edits: list[list[Any]]) -> None:
    head, gap, data = path.read_bytes().partition(b"\n\n")
    text = edited_lines(head.decode("latin-1"), edits)
    path.write_bytes(text.encode("utf-8", "surrogatepass") + gap + data)


def edit_image(path: Path, edits: list[list[Any]]) -> None:
    path.write_bytes(made_image(path.read_bytes(), edits))


def edit_some_h5(path: Path, edits: list[list[Any]]) -> None:
    if h5py.is_hdf5(path):
        edit_h5(path, edits)


def edit_recipe(path: Path, edits: list[list[Any]]) -> None:
    """The text in a cube that says how it was made."""
    with h5py.File(path, "r+") as file:
        text = rewritten(file.attrs["recipe"].encode(), edits).replace(b"\0", b"")
        file.attrs["recipe"] = text.decode("utf-8", "replace")


def edit_listing(path: Path, edits: list[list[Any]]) -> None:
    """JSON, or the whole text of a YAML file."""
    whole = [edit for edit in edits if edit[0] == "whole"]
    edit_text(path, whole) if whole else edit_json(path, edits)


def edit_nothing(path: Path, edits: list[list[Any]]) -> None:
    """Options have no file."""
