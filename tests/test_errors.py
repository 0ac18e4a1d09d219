"""Errors are sentences."""

from __future__ import annotations

import pytest

from bitbox.errors import BitboxError


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ("3 bytes", "Expected a file, but got 3 bytes. Look."),
        ("No magic bytes found.", "Expected a file, but got No magic bytes found. Look."),
        ("a, b, ...", "Expected a file, but got a, b, .... Look."),
    ],
)
def test_sentences_end_once(got: str, said: str) -> None:
    """What libraries say is a sentence already."""
    assert str(BitboxError("It failed.", expected="a file", got=got, todo="Look.")) == (
        f"It failed. {said}"
    )
    short = str(BitboxError("It failed.", got=got, todo="Look."))
    assert short == f"It failed. {said.replace('Expected a file, but got', 'Got')}"
