"""Figures and reports that a result makes of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.analysis.result import ImitationQuality
from bitbox.errors import OutputError
from bitbox.report.descriptions import describe
from bitbox.social import imitation_quality
from bitbox.synthetic.signals import imitated_pair

pytest.importorskip("plotly")
NAMES = ("lb_inner_raise", "ll_jaw_drop", "own_signal")


@pytest.fixture(scope="module")
def quality() -> ImitationQuality:
    participant, model, _ = imitated_pair(3, imitated=2, seed=3)
    source = {"file": "anna.mp4", "size": [640, 480], "sha256": "ab" * 32}
    participant = participant.replace(names=NAMES, provenance={"source": source})
    return imitation_quality(participant, model.replace(names=NAMES), n_surrogates=99, seed=1)


def test_the_scorecard_is_drawn_with_what_is_beyond_chance(quality: ImitationQuality) -> None:
    dots = {trace.name: trace.x for trace in quality.plot().data if trace.type == "scatter"}
    shapes = quality.scorecard["shape"]
    np.testing.assert_allclose(dots["beyond chance"], shapes[:2])
    np.testing.assert_allclose(dots["not beyond"], shapes[2:])
    assert quality.headline.imitated == 2


def test_the_report_has_all_that_a_quality_knows(quality: ImitationQuality, tmp_path: Path) -> None:
    path = quality.report(tmp_path / "x.html")
    page = path.read_text(encoding="utf-8")
    assert path == tmp_path / "x.html"
    assert str(quality.headline) in page
    for sentence in describe(NAMES).values():
        assert sentence in page
    assert len(describe(NAMES)) == 2
    for finding in quality.findings:
        assert finding.message.replace("'", "&#39;") in page
    for part in ("anna.mp4", "640 x 480 pixels", "Benjamini", "Measured by", "ab" * 32):
        assert part in page
    assert quality.report(tmp_path / "x.html").read_text(encoding="utf-8") == page


def test_the_title_can_be_chosen(quality: ImitationQuality, tmp_path: Path) -> None:
    page = quality.report(tmp_path / "x.html", title="Anna & Ben").read_text(encoding="utf-8")
    assert "<title>Anna &amp; Ben</title>" in page


def test_a_folder_that_is_not_there(quality: ImitationQuality, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        quality.report(tmp_path / "none" / "x.html")
