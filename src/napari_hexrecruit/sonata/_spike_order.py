"""Whether the times of a spikes file ascend, remembered until the file changes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from napari_hexrecruit.storage.cache import stamp, store_arrays, stored_arrays

_WORTH_STORING = 1 << 20
"""Number of spikes whose order takes longer to check than to look up on disk."""
_MOST_KNOWN = 1000
_NAME = "ascending"

_known: dict[tuple[Any, ...], bool] = {}


class OrderRecord:
    """Record of the order of the times in an open file.

    It is kept in this process, and for long files also in the user's cache folder, where the
    workers of a campaign find it. A file with another size, modification time or inode is another
    file.

    Parameters
    ----------
    times
        Dataset of the times.
    """

    def __init__(self, times: Any) -> None:
        path, size, changed = stamp(times.file.filename)
        status = os.stat(path)
        self._key = (path, size, changed, status.st_ctime_ns, status.st_ino, str(times.name))
        self._is_long = times.shape[0] >= _WORTH_STORING

    def get(self) -> bool | None:
        """Return whether the times ascend, NaN last; None if not yet checked."""
        found = _known.get(self._key)
        if found is None and self._is_long:
            stored = stored_arrays(self._stored_key)
            if stored is not None:
                found = _known[self._key] = bool(stored[_NAME])
        return found

    def put(self, ascending: bool) -> None:
        """Record whether the times ascend."""
        if self.get() == ascending:
            return
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)), None)
        _known[self._key] = ascending
        if self._is_long:
            store_arrays(self._stored_key, {_NAME: np.array(ascending)})

    @property
    def _stored_key(self) -> dict[str, Any]:
        return {"times in order": self._key}
