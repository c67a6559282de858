"""Findings of a check, and how they are printed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from napari_hexrecruit.errors import Text, Words, in_python, worded

Status = Literal["OK", "assumption", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes
    ----------
    status
        ``OK``; ``assumption``: usable, but something was assumed or excluded; ``warning``: usable,
        but perhaps not what you mean; ``error``: no recruitment can be computed until it is fixed.
    file
        The file; empty if `found` names it.
    found
        What was found.
    remedy
        What to do; empty if nothing needs to be done.
    field
        Part of the file, such as a population or a property; can be empty.
    """

    status: Status
    file: str
    found: Text
    remedy: Text = ""
    field: str = ""

    @property
    def where(self) -> str:
        """File and field."""
        return ": ".join(filter(None, (self.file, self.field)))

    @property
    def sentence(self) -> str:
        """The whole finding in one line, like an error."""
        texts = (self.found, self.remedy)
        found, remedy = (worded(text, in_python) for text in texts)
        return ": ".join(filter(None, (self.file, self.field, found, remedy)))

    def in_words(self, words: Words) -> Finding:
        """Return the finding with parameters named by `words`."""
        found, remedy = worded(self.found, words), worded(self.remedy, words)
        return dataclasses.replace(self, found=found, remedy=remedy)

    def as_dict(self) -> dict[str, str]:
        """Return the finding as a dictionary, ready for JSON."""
        return {
            "status": self.status,
            "where": self.where,
            "file": self.file,
            "field": self.field,
            "found": worded(self.found, in_python),
            "remedy": worded(self.remedy, in_python),
        }


def finding_lines(found: list[Finding]) -> list[str]:
    """Return a line for each finding, grouped by file, and a line with their numbers."""
    lines, file = [], ""
    for finding in found:
        if finding.file != file:
            lines.append(finding.file or "in general")
            file = finding.file
        text = ": ".join(filter(None, (finding.field, worded(finding.found, in_python))))
        lines.append(f"  {finding.status:{_WIDTH}} {text}")
        if finding.remedy:
            lines.append(f"  {'':{_WIDTH}} -> {worded(finding.remedy, in_python)}")
    n_each = Counter(finding.status for finding in found)
    said = [status for status in _STATUSES if n_each[status] or status != "warning"]
    return [*lines, ", ".join(number_of(n_each[status], status) for status in said)]


def number_of(n: int, status: Status) -> str:
    """Return the number of findings with a status: ``1 error``, ``2 assumptions``, ``3 OK``."""
    return f"{n} {status}" if n == 1 or status == "OK" else f"{n} {status}s"


_STATUSES: tuple[Status, ...] = ("OK", "assumption", "warning", "error")


_WIDTH = max(map(len, _STATUSES))
