"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# The first example of a test may import or compile; how long that takes says nothing.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
