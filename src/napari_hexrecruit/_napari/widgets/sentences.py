"""Errors in the words of panels: the reason first."""

from __future__ import annotations

from pathlib import Path

from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.errors import InputError, Parameter, in_words, worded


def reason_first(error: BaseException) -> str:
    r"""Return an error with reason and remedy on the first line, and its place on the second.

    Examples
    --------
    >>> reason_first(InputError("/data/nodes.h5", "lacks 'x'", ("give ", Parameter("flat"))))
    "lacks 'x': give Flat x, Flat y\nWhere: /data/nodes.h5"
    >>> reason_first(FileNotFoundError(2, "No such file or directory", "/data/nodes.h5"))
    'No such file or directory\nWhere: /data/nodes.h5'
    >>> reason_first(FileExistsError("/data/wave.gif: exists: choose another name"))
    'exists: choose another name\nWhere: /data/wave.gif'
    >>> reason_first(ValueError("the speed must be greater than 0"))
    'the speed must be greater than 0'
    """
    if isinstance(error, InputError) and error.what and not isinstance(error.where, Parameter):
        texts = (worded(text, in_panel) for text in (error.what, error.remedy) if text)
        reason, where = ": ".join(texts), worded(error.where, in_panel)
    elif isinstance(error, OSError) and error.strerror:
        reason, where = error.strerror, str(error.filename or "")
    else:
        where, _, reason = in_words(error, in_panel).partition(": ")
        if not (isinstance(error, OSError) and Path(where).is_absolute()):
            reason, where = in_words(error, in_panel), ""
    reason = " ".join(reason.split())
    return f"{reason}\nWhere: {where}" if where else reason
