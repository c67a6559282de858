"""Warnings of the package are errors in tests; this marks inputs that are doubtful on purpose."""

from __future__ import annotations

import pytest

doubtful = pytest.mark.filterwarnings("ignore::napari_hexrecruit.errors.RecruitmentWarning")
