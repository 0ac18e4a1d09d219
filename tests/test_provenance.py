"""Where results come from."""

from __future__ import annotations

import pytest

from bitbox import provenance


def test_libraries_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = provenance.versions()
    monkeypatch.setattr(provenance.metadata, "version", lambda name: pytest.fail(name))
    again = provenance.versions()
    assert again == first
    again["numpy"] = "changed by who got it"
    assert provenance.versions() == first
