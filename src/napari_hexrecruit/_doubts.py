"""What makes a number doubtful: said on each way out, as a warning of Python or a line."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import RecruitmentWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["issue_warnings", "warnings_in"]


def warnings_in(attrs: Mapping[str, Any]) -> list[str]:
    """Sentences of a cube's attribute ``warnings``; none where it has no such list."""
    try:
        found = json.loads(attrs.get("warnings", "[]"))
    except (TypeError, ValueError):
        return []
    return [str(sentence) for sentence in found] if isinstance(found, list) else []


def issue_warnings(sentences: Iterable[str]) -> None:
    """Warn the caller of the public function that calls this."""
    for sentence in sentences:
        warnings.warn(sentence, RecruitmentWarning, stacklevel=3)
