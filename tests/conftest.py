"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A deadline is a time limit, and those don't belong in tests: a busy machine is no defect.
settings.register_profile("bitbox", deadline=None)
settings.load_profile("bitbox")
