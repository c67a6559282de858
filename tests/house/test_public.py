"""What the package offers, and that it is light until it is used."""

from __future__ import annotations

import importlib

import pytest

import napari_hexrecruit


def test_every_public_name_is_there_and_documented():
    assert set(napari_hexrecruit.__all__) - {"__version__"} == set(napari_hexrecruit._HOMES)
    for name, home in napari_hexrecruit._HOMES.items():
        thing = getattr(napari_hexrecruit, name)
        assert thing.__doc__, name
        module = importlib.import_module(f"napari_hexrecruit.{home}")
        assert getattr(module, name) is thing
        assert name in dir(napari_hexrecruit)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'recruitment_cubes'"):
        napari_hexrecruit.recruitment_cubes  # noqa: B018
