"""The package's own exceptions; each is also the builtin that a caller would expect."""

from __future__ import annotations

__all__ = ["HexRecruitError", "MissingExtraError", "RecruitmentWarning", "SimulationDataError"]


class HexRecruitError(Exception):
    """Base of the package's own errors; ``str()`` is one line that says what to do."""


class SimulationDataError(HexRecruitError, ValueError):
    """A file cannot be used: the message names the file, the field and the remedy."""


class MissingExtraError(HexRecruitError, ImportError):
    """An optional package is not installed: the message names the extra to install."""


class RecruitmentWarning(UserWarning):
    """A number that may not be what the user means: the message names the cause and the remedy."""
