"""What a command said, as its user reads it."""

from __future__ import annotations

import pytest


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return " ".join((out + err).split())
