"""Output that an encoding lacks characters for, or a narrow terminal, never ends a run."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bitbox.cli.streams import lasting_streams
from bitbox.cli.terminal import _Lines
from bitbox.synthetic.signals import imitated_pair

ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252:strict"},
    "C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def written(encoding: str, text: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return what `text` becomes on standard output in an encoding."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    with lasting_streams() as (out, _):
        sys.stdout.write(text)
        assert out.failure is None
    stream.flush()
    return raw.getvalue()


@pytest.mark.parametrize(
    ("text", "ascii_"),
    [
        ("p ≤ 0.05 – σ × “x” …", b'p <= 0.05 - ? x "x" ...'),
        ("José Łódź ﬁ", b"Jose ?odz fi"),
        ("├ 日本 \udcff", b"? ?? ?"),
    ],
)
def test_written_with_what_there_is(text: str, ascii_: bytes, monkeypatch) -> None:
    assert written("ascii", text, monkeypatch) == ascii_


def test_kept_where_it_can_be_written(monkeypatch) -> None:
    assert written("utf-8", "p ≤ 0.05, José", monkeypatch).decode() == "p ≤ 0.05, José"
    assert written("cp1252", "p ≤ 0.05, José", monkeypatch) == "p <= 0.05, José".encode("cp1252")
    assert written("utf-8", "\udcff", monkeypatch) == b"?"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_run_ends_by_what_it_prints(tmp_path: Path, encoding: str) -> None:
    """One that had done all its work ended at its headline, which says p ≤ 0.05."""
    names = [tmp_path / f"{name}.parquet" for name in ("Zoë", "modèle")]
    for signals, name in zip(imitated_pair(duration=40, seed=3), names, strict=False):
        signals.to_parquet(name)
    files = [str(name.relative_to(tmp_path)) for name in names]
    command = [sys.executable, "-m", "bitbox", "imitate", *files, "-o", "é≤", "--surrogates", "99"]
    with (tmp_path / "out.txt").open("wb") as out:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, **ENCODINGS[encoding]},
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out.txt").read_bytes()
    assert b"<= 0.05" in text
    assert b"report.html" in text
    assert len(list(tmp_path.glob("*/run.json"))) == 1


def test_off_a_terminal_there_is_a_line_a_minute() -> None:
    said: list[str] = []
    now = [0.0]

    class Listener:
        def say(self, text: str) -> None:
            said.append(text)

    lines = _Lines(Listener(), clock=lambda: now[0])  # type: ignore[arg-type]
    for k in range(200):
        now[0] = 1.0 * k
        lines("Comparing pairs", 100 + k, 400)  # the first hundred were done before
    assert said == [
        "Comparing pairs ...",
        "Comparing pairs: 160 of 400, about 4 min left",
        "Comparing pairs: 220 of 400, about 3 min left",
        "Comparing pairs: 280 of 400, about 2 min left",
    ]
