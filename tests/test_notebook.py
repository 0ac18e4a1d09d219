"""What results look like in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from bitbox.analysis.result import ImitationQuality
from bitbox.notebook import ROWS, panel
from bitbox.signals import Signals
from bitbox.social import imitation_quality
from bitbox.synthetic.signals import imitated_pair

ODD = ("<script>alert(1)</script>", "a & b", "left\u202eright", '"quoted"')


class Page(HTMLParser):
    """The cells, the tags and the text of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.bold: list[bool] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag == "td" and len(self.cells[-1]) == 1:
            self.bold.append("bold" in dict(attrs)["style"])

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data
        if self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data


@pytest.fixture(scope="module")
def pair() -> tuple[Signals, Signals]:
    participant, model, _ = imitated_pair(14, imitated=4, seed=3)
    names = (*ODD, *participant.names[4:])
    values = participant.values.copy()
    values[:, 4] = np.nan
    return participant.replace(names=names, values=values), model.replace(names=names)


@pytest.fixture(scope="module")
def quality(pair: tuple[Signals, Signals]) -> ImitationQuality:
    return imitation_quality(*pair, n_surrogates=99, seed=1)


def test_signals(pair: tuple[Signals, Signals]) -> None:
    page = Page(pair[0]._repr_html_())
    assert "expression (synthetic)" in page.text
    assert "1800 frames, 59.97 s at 30.00 fps" in page.text
    assert len(page.cells) == 1 + ROWS
    assert f"{ROWS} of 14 are shown" in page.text
    first = pair[0].values[:, 0]
    assert page.cells[1] == [
        ODD[0],
        "100%",
        f"{first.min():.2f}",
        f"{np.median(first):.2f}",
        f"{first.max():.2f}",
    ]
    assert page.cells[5] == ["s04", "0%", "–", "–", "–"], "missing is a dash, never 0"


def test_signals_show_their_findings(pair: tuple[Signals, Signals]) -> None:
    finding = {"code": "a", "severity": "warning", "message": "<i>Look</i>.", "todo": "Mend it."}
    page = Page(pair[0].replace(provenance={"findings": [finding]})._repr_html_())
    assert "warning: <i>Look</i>. Mend it." in page.text


def test_names_from_outside_are_text(pair, quality) -> None:
    for thing in (pair[0], quality.matrix, quality):
        html = thing._repr_html_()
        page = Page(html)
        assert set(page.tags) <= {"div", "strong", "table", "thead", "tbody", "tr", "th", "td"}
        assert ODD[0] in page.text, "as text"
        assert "\u202e" not in html, "a mark of writing direction would change what a name seems"


def test_the_strongest_pairs_come_first(quality: ImitationQuality) -> None:
    matrix = quality.matrix
    page = Page(matrix._repr_html_())
    assert len(page.cells) == 1 + ROWS
    assert "Not corrected for chance" in page.text
    frame = matrix.to_frame().sort_values("mean", key=np.abs, ascending=False, kind="stable")
    for cells, (_, row) in zip(page.cells[1:], frame.iterrows(), strict=False):
        assert float(cells[2]) == pytest.approx(row["mean"], abs=0.006)
        assert int(cells[5]) == row["windows"]


def test_quality(quality: ImitationQuality) -> None:
    page = Page(quality._repr_html_())
    assert str(quality.headline) in page.text
    assert all(str(finding) in page.text for finding in quality.findings)
    card = quality.scorecard.sort_values("z", ascending=False).head(ROWS)
    assert page.bold == list(card["p_fwer"] <= 0.05)
    assert sum(page.bold) == quality.headline.imitated == 4
    assert page.cells[1][3] == f"{card['z'].iloc[0]:.2f}"


def test_quality_where_nothing_can_be_told() -> None:
    short = imitation_quality(*imitated_pair(3, duration=12, seed=1)[:2], n_surrogates=19, seed=1)
    page = Page(short._repr_html_())
    assert "Too short to tell" in page.text
    assert "In bold" not in page.text
    assert {row[4] for row in page.cells[1:]} == {"–"}


def test_numbers() -> None:
    rows = [("a", 0.0, 1.0, 1234567, 1e-4, 123456.0, float("nan"))]
    page = Page(panel("t", [], list("abcdefg"), rows))
    assert page.cells[1] == ["a", "0.00", "1.00", "1,234,567", "0.0001", "1.2e+05", "–"]
