"""Glasses are noticed, on people whom nothing was learnt from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from validation.humans import data

from bitbox.face_backend.mediapipe import track_mesh


@pytest.mark.video
@pytest.mark.skipif(not data.is_there(), reason="the shapes of people are not installed")
@pytest.mark.parametrize("name", ["noah", "priya"])
def test_glasses_are_told(name: str, tmp_path: Path) -> None:
    from validation.humans.films import QUALITIES, film
    from validation.humans.people import by_name
    from validation.humans.performance import head_alone
    from validation.humans.render import LIGHTS, Camera

    told = []
    for worn in (False, True):
        path = tmp_path / f"{worn}.mp4"
        person = replace(by_name(name), glasses=worn)
        performance = head_alone(5, 1.2)
        film(person, performance, Camera(), LIGHTS["window"], QUALITIES["clean"], path)
        told.append([f for f in track_mesh(path).findings if f.code == "glasses"])
    assert not told[0]
    assert len(told[1]) == 1
    assert "brows" in told[1][0].message
