"""Copies of a layer that napari makes from its layer data tuple."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_KEY = "napari-hexrecruit"
"""Metadata key of a layer's `Recipe` in its layer data tuple."""


class Recipe(Protocol):
    """Entry in the metadata of a layer data tuple from which the layer is recreated."""

    def layer(self, state: Mapping[str, Any]) -> Layer:
        """Make the layer, with the look that `state` describes."""


class KindOfOurs(str):
    """The type "points" in the layer data tuple of `FramePoints`.

    napari duplicates a layer with `Layer.create`, which looks up the type's title in
    `napari.layers` and so finds only napari's own classes. This type has its own title, so that a
    copy is a `FramePoints` again, while writers and other layers see plain points.
    """

    __slots__ = ()

    def lower(self) -> str:
        return self

    def title(self) -> str:
        return "HexrecruitPoints"


def layer_again(data: object, **state: Any) -> Layer:
    """Make a layer from its state; `Layer.create` calls this function for a `KindOfOurs`."""
    recipe: Recipe = state["metadata"][STATE_KEY]
    return recipe.layer(state)
