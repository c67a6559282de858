"""How napari makes a copy of a layer from its layer data tuple."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_KEY = "napari-hexrecruit"
"""Key of a layer's metadata, in its layer data tuple, under which its `Recipe` is."""


class Recipe(Protocol):
    """What a layer data tuple carries in its metadata to make the same layer again."""

    def layer(self, state: Mapping[str, Any]) -> Layer:
        """Make the layer, with the look that `state` describes."""


class KindOfOurs(str):
    """The type "points" in the layer data tuple of a `FramePoints`.

    napari duplicates a layer by `Layer.create`, which knows its own classes only: it looks for the
    type's title among the names of `napari.layers`. This one has a title of its own, so that a copy
    is a `FramePoints` again, while writers and every other layer see plain points.
    """

    __slots__ = ()

    def lower(self) -> str:
        return self

    def title(self) -> str:
        return "HexrecruitPoints"


def layer_again(data: object, **state: Any) -> Layer:
    """Make the layer whose state this is; what `Layer.create` calls for a `KindOfOurs`."""
    recipe: Recipe = state["metadata"][STATE_KEY]
    return recipe.layer(state)
