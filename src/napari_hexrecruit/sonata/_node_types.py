"""The table of node types, with which the Allen Institute's files give properties to many nodes.

SONATA Developer Guide, "node_types_file": columns separated by blanks, ``NULL`` for no value. BMTK
writes one blank between fields and quotes values that contain blanks; handwritten tables align
their columns with several blanks, or use tabs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.sonata._pieces import WORDS, Piece, as_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_hexrecruit.values import Column

_ID = "node_type_id"
_NOTHING = "NULL"

_QUOTED = r'"((?:[^"]|"")*)"'
_BY_RUNS = re.compile(rf'(?:{_QUOTED}|([^ \t"][^ \t]*))[ \t]+')
_BY_ONE = {sep: re.compile(rf'(?:{_QUOTED}|([^{sep}"][^{sep}]*)?){sep}') for sep in " \t"}

Field: TypeAlias = "str | None"
"""A value as written; None for no value."""


@dataclass(frozen=True)
class NodeTypes:
    """Properties by ``node_type_id``; empty if a circuit has no such table.

    Attributes
    ----------
    ids
        (n_types,) ids, ascending.
    table
        For each property its (n_types,) values, and a mask of the types that have one.
    """

    ids: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    table: dict[str, tuple[Column, npt.NDArray[np.bool_]]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the properties."""
        return tuple(self.table)

    @classmethod
    def read(cls, path: Path | None) -> NodeTypes:
        """Read the table of a file; an empty one for None.

        Raises
        ------
        SimulationDataError
            If the file is missing or is not a table of node types.
        """
        if path is None:
            return cls()
        if not path.is_file():
            raise SimulationDataError(
                path,
                "the table of node types does not exist",
                "correct 'node_types_file' in the circuit's configuration",
            )
        try:
            names, rows = _read(path.read_text(encoding="utf-8-sig"))
            return cls._of(names, rows)
        except (ValueError, OSError) as error:
            raise SimulationDataError(
                path,
                f"is not a table of node types ({one_line(error)})",
                f"blanks separate columns, one column is {_ID}, NULL means no value, values with"
                " blanks are in double quotes",
            ) from error

    @classmethod
    def _of(cls, names: list[str], rows: list[tuple[int, list[Field]]]) -> NodeTypes:
        at = names.index(_ID)
        by_id: dict[int, tuple[int, list[Field]]] = {}
        for line, fields in rows:
            number = _whole(fields[at], line)
            first, known = by_id.setdefault(number, (line, fields))
            if _without(known, at) != _without(fields, at):
                raise ValueError(
                    f"lines {first} and {line} differ but both describe {_ID} {number}"
                )
        ids = np.array(sorted(by_id), dtype=np.int64)
        ordered = [by_id[number][1] for number in ids.tolist()]
        columns = {
            name: _typed([fields[k] for fields in ordered])
            for k, name in enumerate(names)
            if k != at
        }
        return cls(ids, columns)

    def rows_of(self, type_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the (n_nodes,) row of each node's type in the table; -1 if it is missing."""
        if not len(self.ids):
            return np.full(len(type_ids), -1, np.int32)
        at = np.minimum(np.searchsorted(self.ids, type_ids), len(self.ids) - 1)
        return np.where(self.ids[at] == type_ids, at, -1).astype(np.int32)

    def texts(self, name: str) -> list[str] | None:
        """Return the texts of a property; None if it is not a text property."""
        values, _ = self.table[name]
        return list(values.categories) if hasattr(values, "categories") else None

    def piece(
        self, name: str, rows: npt.NDArray[np.int32], nodes: npt.NDArray[np.int64]
    ) -> Piece | None:
        """Return the values of a property for some nodes, without nodes that have none.

        Parameters
        ----------
        name
            The property.
        rows
            (size,) result of `rows_of` for all nodes.
        nodes
            Requested nodes.
        """
        values, given = self.table[name]
        here = rows[nodes]
        known = (here >= 0) & np.append(given, False)[here]
        return Piece(nodes[known], values[here[known]]) if known.any() else None


def _read(text: str) -> tuple[list[str], list[tuple[int, list[Field]]]]:
    """Return the names of the columns, and number and fields of each line below."""
    numbered = enumerate(re.split(r"\r\n|\r|\n", text), 1)
    lines = [(number, line) for number, line in numbered if line.strip(" \t")]
    if not lines:
        raise ValueError("it is empty")
    (number, header), *body = lines
    sep = "\t" if "\t" in header and " " not in header else " "
    titles = _by_runs(header) if sep == " " else _by_one(header.strip("\t"), sep)
    names = [title or "" for title in titles or ()]
    if titles is None or _ID not in names:
        raise ValueError(f"line {number} names no column {_ID}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two columns have the name {twice[0]!r}")
    ending = sep if header.endswith(sep) else ""
    return names, list(_rows(body, len(names), sep, ending))


def _rows(
    lines: list[tuple[int, str]], n_names: int, sep: str, ending: str
) -> Iterator[tuple[int, list[Field]]]:
    """Split lines into fields at runs of blanks, or at single blanks if a field is empty.

    A table cannot mix the two: it would be unclear which column is empty.
    """
    padded = short = None
    for number, line in lines:
        single = _by_one(line.removesuffix(ending), sep)
        runs = _by_runs(line)
        if sep == "\t" and single is not None and len(single) == n_names:
            yield number, single
            continue
        if runs is not None and len(runs) == n_names:
            if len(_by_one(line.strip(" \t"), sep) or ()) != n_names:
                padded = number
            yield number, runs
        elif single is not None and len(single) == n_names:
            short = number
            yield number, single
        else:
            raise ValueError(
                f"line {number} has a double quote that does not begin or end a field"
                if runs is None
                else f"line {number} has {len(runs)} fields below {n_names} names"
            )
        if padded and short:
            raise ValueError(
                f"line {short} has an empty field between single blanks, but line {padded} is"
                " aligned by several: write NULL for what is empty"
            )


def _by_runs(line: str) -> list[Field] | None:
    return _split(line.strip(" \t") + " ", _BY_RUNS)


def _by_one(line: str, sep: str) -> list[Field] | None:
    return _split(line + sep, _BY_ONE[sep])


def _split(line: str, pattern: re.Pattern[str]) -> list[Field] | None:
    """Return the fields of a line that ends with a separator; None if a quote is misplaced."""
    fields: list[Field] = []
    at = 0
    while at < len(line):
        found = pattern.match(line, at)
        if found is None:
            return None
        quoted, plain = found.groups()
        value = plain if quoted is None else quoted.replace('""', '"')
        fields.append(None if value == _NOTHING else value)
        at = found.end()
    return fields


def _whole(text: Field, line: int) -> int:
    try:
        number = float(text or "")
        if not number.is_integer() or abs(number) >= 2**63:
            raise ValueError
        return int(text or "") if "." not in (text or "") else int(number)
    except ValueError:
        raise ValueError(f"line {line} has the {_ID} {text!r}, not a whole number") from None


def _without(fields: list[Field], at: int) -> list[Field]:
    return [*fields[:at], *fields[at + 1 :]]


def _typed(fields: list[Field]) -> tuple[Column, npt.NDArray[np.bool_]]:
    """Return a column as numbers or booleans if all its values are, else as text."""
    import pandas as pd

    given = np.array([value is not None for value in fields], dtype=bool)
    texts = [value for value in fields if value is not None]
    if not texts:
        return np.full(len(fields), np.nan), given
    known: Any = as_numbers(texts)
    if known is None and all(text.lower() in WORDS for text in texts):
        known = np.array([WORDS[text.lower()] for text in texts], dtype=bool)
    if known is None:
        return pd.Categorical(np.array(fields, dtype=object)), given
    values = np.zeros(len(fields), dtype=known.dtype)
    values[given] = known
    return values, given
