"""The package's own exceptions; each is also the builtin that a caller would expect."""

from __future__ import annotations

__all__ = ["HexRecruitError", "MissingExtraError", "RecruitmentWarning", "SimulationDataError"]


class HexRecruitError(Exception):
    """Base of the package's own errors; ``str()`` is one line that says what to do."""


class SimulationDataError(HexRecruitError, ValueError):
    """A file cannot be used: the message names the file, the field and the remedy.

    Parameters
    ----------
    where
        The file; or the file and what is in it, as ``(path, "population 'cortex'")``. Alone, it is
        the whole message.
    found
        What was found.
    remedy
        What to do; empty where the finding says it.

    Attributes
    ----------
    file, field
        The file, and what is in it, as text; empty where the message is not in parts.
    found, remedy
        As given; `found` is the whole message where it is not in parts.
    """

    def __init__(
        self, where: object | tuple[object, ...], found: str = "", remedy: str = ""
    ) -> None:
        places = [str(part) for part in (where if isinstance(where, tuple) else (where,))]
        super().__init__(": ".join(part for part in (*places, found, remedy) if part))
        whole = not found
        self.file = "" if whole else places[0]
        self.field = "" if whole else ": ".join(places[1:])
        self.found = str(self) if whole else found
        self.remedy = remedy


class MissingExtraError(HexRecruitError, ImportError):
    """An optional package is not installed: the message names the extra to install."""


class RecruitmentWarning(UserWarning):
    """A number that may not be what the user means: the message names the cause and the remedy."""
