"""Mutated files: Signals, or an error for their owner; never anything else."""

from __future__ import annotations

import contextlib
import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import BitboxError
from bitbox.measuring.store import Cache, make_key
from bitbox.readers import read_signals
from bitbox.signals import Signals
from tests.attack.places import ROUNDS, signals_of

CELLS = (
    b"",
    b"nan",
    b"inf",
    b"-",
    b'"',
    b"1e400",
    b"\0",
    b"\xff",
    b",",
    b";",
    b"\t",
    b"\n",
    b"999",
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return a file with a few bytes changed, cut, doubled or exchanged for odd ones."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data)) if data else 0
        how = chance.randrange(5)
        if how == 0 and data:
            data[place] ^= 1 << chance.randrange(8)
        elif how == 1:
            del data[place : place + chance.choice((1, 10, 1000))]
        elif how == 2:
            data[place:place] = chance.choice(CELLS)
        elif how == 3:
            data[place:place] = data[place : place + chance.choice((1, 50))]
        else:
            del data[place:]
    return bytes(data)


def tables(folder: Path) -> dict[str, bytes]:
    participant, _ = signals_of(folder, 1, duration=21)
    signals = Signals.from_parquet(participant)
    plain = signals.to_csv(folder / "a.csv").read_bytes()
    plain = b"".join(plain.splitlines(keepends=True)[:60])
    return {
        "a.csv": plain,
        "b.csv": plain.replace(b",", b";"),
        "c.tsv": plain.replace(b",", b"\t"),
        "d.csv": b"frame,face_id,timestamp,confidence,success,AU01_r,AU02_r\n"
        + b"".join(b"%d,0,%.3f,0.9,1,0.5,%d\n" % (k, k / 30, k % 3) for k in range(90)),
        "e.json": b"["
        + b",".join(
            b'{"timestamp_ms":%d,"face_blendshapes":[[{"category_name":"jawOpen","score":0.%d}]]}'
            % (33 * k, k % 10)
            for k in range(30)
        )
        + b"]",
        "f.parquet": participant.read_bytes(),
    }


@pytest.mark.parametrize("name", ["a.csv", "b.csv", "c.tsv", "d.csv", "e.json", "f.parquet"])
def test_tables(name: str, tmp_path: Path) -> None:
    content = tables(tmp_path)[name]
    chance = random.Random(name)  # noqa: S311
    path = tmp_path / name
    path.write_bytes(content)
    assert read_signals(path).n_frames
    for _ in range(60 * ROUNDS):
        path.write_bytes(mutated(content, chance))
        with contextlib.suppress(BitboxError), warnings.catch_warnings():
            warnings.simplefilter("error")
            signals = read_signals(path)
            assert not np.isinf(signals.values).any()


def test_entries_of_the_cache(tmp_path: Path) -> None:
    """A changed byte is noticed, wherever it is; the entry counts as not there."""
    chance = random.Random(3)  # noqa: S311
    key = make_key({"a": 1})
    signals = Signals.from_parquet(signals_of(tmp_path, 1, duration=21)[0])
    cache = Cache(tmp_path / "cache")
    path = cache.write_signals("a", "pose", key, signals)
    assert path is not None
    whole = path.read_bytes()
    for _ in range(60 * ROUNDS):
        spoilt = mutated(whole, chance)
        path.write_bytes(spoilt)
        found = cache.read_signals("pose", key)
        assert found == signals if spoilt == whole else found is None


def test_videos(tmp_path: Path) -> None:
    pytest.importorskip("av")
    from bitbox.video import read_frames, write_video

    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    path = write_video(tmp_path / "a.mp4", frames, 30)
    whole = path.read_bytes()
    chance = random.Random(5)  # noqa: S311
    for _ in range(12 * ROUNDS):
        path.write_bytes(mutated(whole, chance))
        with contextlib.suppress(BitboxError), read_frames(path) as found:
            times = [frame.time for frame in found]
            assert (np.diff(times) > 0).all()
