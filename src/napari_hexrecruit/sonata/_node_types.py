"""The table of node types, by which the Allen Institute's files give properties to many nodes.

SONATA Developer Guide, "node_types_file": columns separated by blanks, ``NULL`` for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._errors import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.filters import Column

__all__ = ["NodeTypes"]

_ID = "node_type_id"


@dataclass(frozen=True)
class NodeTypes:
    """Properties by ``node_type_id``; empty where a circuit has no such table."""

    ids: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    table: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the properties."""
        return tuple(self.table)

    @classmethod
    def read(cls, path: Path | None) -> NodeTypes:
        """The table of a file; an empty one for None.

        Raises
        ------
        SimulationDataError
            If the file is missing or is no such table.
        """
        import pandas as pd

        if path is None:
            return cls()
        if not path.is_file():
            raise SimulationDataError(
                f"{path}: the table of node types does not exist: correct 'node_types_file' in the"
                " circuit's configuration"
            )
        try:
            frame = pd.read_csv(path, sep=r"\s+", na_values=["NULL"])
            column = frame.pop(_ID)
            if column.dtype.kind not in "iu":
                raise ValueError(f"{_ID} holds what is no whole number")
            ids = column.to_numpy(dtype=np.int64)
        except (ValueError, KeyError, OSError, TypeError) as error:
            raise SimulationDataError(
                f"{path}: is no table of node types ({one_line(error)}): columns are separated by"
                f" blanks, one is {_ID}"
            ) from error
        return cls(ids, {str(name): frame[name].tolist() for name in frame})

    def column(self, name: str, type_ids: npt.NDArray[np.int64]) -> Column:
        """(n_nodes,) values of a property; text as `pandas.Categorical`.

        Nodes whose type is not in the table have NaN, or no category.
        """
        import pandas as pd

        order = np.argsort(self.ids, kind="stable")
        at = np.searchsorted(self.ids[order], type_ids)
        at = np.minimum(at, max(len(order) - 1, 0))
        known = self.ids[order][at] == type_ids if len(order) else np.zeros(len(type_ids), bool)
        row = np.where(known, order[at] if len(order) else 0, -1)
        values = pd.Series(self.table[name])
        if values.dtype.kind in "iufb":
            if known.all():
                return values.to_numpy()[row]
            return np.where(known, values.to_numpy(dtype=np.float64)[row], np.nan)
        texts = pd.Categorical(values.where(values.isna(), values.astype(str)))
        return pd.Categorical.from_codes(
            np.where(known, texts.codes[row], -1), categories=texts.categories
        )
