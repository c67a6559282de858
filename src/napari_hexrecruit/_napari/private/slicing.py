"""Slice requests when the time slider moves."""

from __future__ import annotations

import functools
from typing import Any

from napari_hexrecruit._napari.private.names import POINTS, module_of


@functools.cache
def slicing_state_class() -> type:
    """Return the class that napari asks for the points at a position of the sliders."""
    base: Any = module_of(POINTS)._PointsSlicingState

    class FrameSlicingState(base):  # type: ignore[misc]
        """Requests the points of the frame at the position of the slider."""

        def make_slice_request_internal(self, slice_input: Any, data_slice: Any) -> Any:
            hidden = [axis for axis in slice_input.not_displayed if axis < self.layer.ndim - 2]
            if hidden:
                no_margin = (0.0,) * len(data_slice.point)
                data_slice = data_slice.copy_with(
                    point=self.layer.snap(data_slice.point, hidden),
                    margin_left=no_margin,
                    margin_right=no_margin,
                )
            return super().make_slice_request_internal(slice_input, data_slice)

        def _update_slice_response(self, response: Any) -> None:
            super()._update_slice_response(response)
            self.layer.announce()

    return FrameSlicingState
