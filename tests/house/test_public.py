"""What the package offers, and that it is light until it is used."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import napari_hexrecruit

PUBLIC = [name for name in napari_hexrecruit.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(napari_hexrecruit, name).__doc__, name
    assert name in dir(napari_hexrecruit)


def test_the_public_names_are_listed_once_for_type_checkers_too():
    stub = Path(napari_hexrecruit.__file__).with_suffix(".pyi")
    names = [
        alias.name
        for node in ast.parse(stub.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(names) == sorted(napari_hexrecruit.__all__)


ANY_KEYWORDS = {
    "RecruitmentLayer": "napari's own options of a Points layer, which differ between versions",
    "add_recruitment_layer": "the same",
    "select_cube": "names of the campaign's parameters, as in xarray's sel",
}
"""Public names that take keywords which only their argument, or napari, knows."""


@pytest.mark.parametrize("name", PUBLIC)
def test_a_signature_lists_its_keywords(name):
    thing = getattr(napari_hexrecruit, name)
    if isinstance(thing, type) and issubclass(thing, Warning | Exception):
        return
    kinds = {one.kind for one in inspect.signature(thing).parameters.values()}
    assert (inspect.Parameter.VAR_KEYWORD in kinds) == (name in ANY_KEYWORDS)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute recruitment_cubes"):
        napari_hexrecruit.recruitment_cubes  # noqa: B018
