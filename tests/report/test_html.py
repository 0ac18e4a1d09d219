"""The report as a file: structure, escaping, nothing fetched, missing parts, odd data."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bitbox.analysis.quality import imitation_quality
from bitbox.errors import OutputError, ParameterError
from bitbox.findings import Finding
from bitbox.report import LagSurface, Person, ReportContent, Thumbnail, write_report
from bitbox.synthetic.signals import imitated_pair
from tests.report import samples

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "<b>bold</b> & <a href='http://evil.example/'>link</a>",
    "{{ 7 * 7 }} {% raw %} %{y} $x^2$",
    "line\u2028separator\u2029 & '\"`",
    "<!--<script>",
    "javascript:alert(4)",
)


class Page(HTMLParser):
    """A page taken apart: elements with attributes, and the text of scripts and of the rest."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self._inside = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append("")
        if tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the base class names it
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.styles[-1] += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def figures(self) -> dict[str, Any]:
        return json.loads(self.scripts[0])


def written(content: ReportContent, folder: Path) -> Page:
    return Page(write_report(content, folder / "report.html"))


def hostile_content() -> ReportContent:
    """A content in which everything that comes from outside is an attack."""
    plain = samples.full(len(HOSTILE))
    names = list(HOSTILE)
    pair = tuple(samples.signals(each.values, names) for each in plain.aligned)
    every = " ".join(HOSTILE)
    person = Person(every, every, {every: every}, pair[0], frames=[samples.thumbnail()])
    return ReportContent(
        title=every,
        participant=person,
        model=dataclasses.replace(person, frames=()),
        headline=every,
        scorecard=plain.scorecard.set_axis(names).assign(**{every: 1.0}),
        findings=[Finding(every, "warning", every, every), Finding("b", every, every, "")],
        aligned=pair,
        matrix=dataclasses.replace(plain.matrix, x_names=names, y_names=names),
        surfaces=[dataclasses.replace(plain.surfaces[0], name=name) for name in names],
        descriptions=dict.fromkeys(names, every),
        parameters={every: {every: every}},
        provenance={every: [every, {every: every}]},
        methods=every,
        data_dictionary=pd.DataFrame({every: [every]}),
    )


def test_a_full_report_has_every_part_in_order(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    sections = [a["id"] for tag, a in page.elements if tag == "section" and "id" in a]
    assert sections == [
        "scorecard",
        "findings",
        "recordings",
        "courses",
        "pairs",
        "lags",
        "methods",
        "details",
    ]
    assert page.source.index("5 of 8 movement signals") < page.source.index('id="scorecard"')
    for text in ("There are only 18 windows.", "Record longer.", "P07_session1.mp4", "29.97 fps"):
        assert text in page.text
    assert "The jaw opens." in page.text
    assert "Videos were analysed with openbitbox." in page.text
    assert "20240117" in page.text


def test_every_link_within_the_page_leads_somewhere_and_ids_are_unique(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    inner = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert len(inner) >= 8
    assert set(inner) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_figure_that_the_page_asks_for_is_there(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    asked = {a["data-figure"] for _, a in page.elements if "data-figure" in a}
    chosen = {a["value"] for a in page.all("option")}
    assert asked <= set(page.figures)
    assert chosen <= set(page.figures)
    assert asked | chosen == set(page.figures)
    assert len(chosen) == 8 + 2


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    fetching = ("src", "href", "srcset", "action", "data", "poster", "formaction", "background")
    found = [a[name] for _, a in page.elements for name in fetching if name in a]
    assert len(found) > 5
    assert all(url.startswith(("#", "data:")) for url in found)
    assert page.all("link") == [{"rel": "icon", "href": "data:,"}]
    assert not [a for a in page.all("script") if "src" in a]
    for style in (*page.styles, *(a.get("style", "") for _, a in page.elements)):
        assert "@import" not in style
        assert "url(" not in style


def test_the_content_security_policy_admits_our_two_scripts_and_no_host(tmp_path: Path) -> None:
    page = written(samples.full(2), tmp_path)
    (policy,) = (a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    code = page.scripts[1:]
    assert len(code) == 2
    for script in code:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_plotly_is_inlined_once(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    assert len(re.findall(r"plotly\.js v\d", page.source)) == 1
    assert len(page.source) < 7.5e6


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = written(hostile_content(), tmp_path)
    assert len(page.scripts) == 3
    assert not [a for _, a in page.elements for name in a if name.startswith("on")]
    assert all(a["src"].startswith("data:image/jpeg") for a in page.all("img"))
    assert len(page.all("img")) == 1
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert not page.all("b") or "<b>bold</b>" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert len(page.ids) == len(set(page.ids))


def test_hostile_text_in_the_figures_data_cannot_leave_the_script(tmp_path: Path) -> None:
    page = written(hostile_content(), tmp_path)
    raw = page.scripts[0]
    assert not set(raw) & set("<>&'\u2028\u2029")
    assert json.loads(raw)


def test_hostile_text_is_no_markup_for_plotly(tmp_path: Path) -> None:
    # Plotly reads <b>, <a href> and entities; only tags that we write ourselves may remain
    ours = re.compile(r"</?(b|br|extra)>")
    seen = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, str):
            seen.append(value)
            assert "<" not in ours.sub("", value), value
            assert "evil.example/'>" not in value

    figures = written(hostile_content(), tmp_path).figures
    walk(figures)
    assert any("&lt;script&gt;" in text for text in seen)
    templates = re.findall(r'"hovertemplate": ?"([^"]*)"', json.dumps(figures))
    assert templates
    assert not [text for text in templates if "alert" in text or "bold" in text]


def test_a_lone_surrogate_in_a_file_name_does_no_harm(tmp_path: Path) -> None:
    page = written(ReportContent("r", Person("P", "odd\udcff.mp4")), tmp_path)
    assert "odd?.mp4" in page.text


def test_a_title_alone_makes_a_report(tmp_path: Path) -> None:
    page = written(ReportContent("Nothing yet"), tmp_path)
    assert "Nothing yet" in page.text
    assert page.figures == {}
    assert not [a for tag, a in page.elements if tag == "section" and "id" in a]


PARTS: dict[str, Any] = {
    "participant": None,
    "model": None,
    "headline": None,
    "scorecard": None,
    "findings": (),
    "aligned": None,
    "matrix": None,
    "surfaces": (),
    "descriptions": {},
    "parameters": {},
    "provenance": {},
    "methods": None,
    "data_dictionary": None,
}


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_missing(part: str, tmp_path: Path) -> None:
    page = written(samples.full(3, 200, **{part: PARTS[part]}), tmp_path)
    asked = {a["data-figure"] for _, a in page.elements if "data-figure" in a}
    assert asked <= set(page.figures)
    inner = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert inner <= set(page.ids)


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_stand_alone(part: str, tmp_path: Path) -> None:
    whole = samples.full(3, 200)
    page = written(ReportContent("One part", **{part: getattr(whole, part)}), tmp_path)
    inner = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert inner <= set(page.ids)


def test_the_scorecard_of_raw_correlations_says_that_chance_was_not_tested(tmp_path: Path) -> None:
    whole = samples.full(4)
    raw = pd.DataFrame(
        {
            "mean": [0.5, 0.25, -0.3, np.nan],
            "sd": [0.1, 0.2, 0.3, np.nan],
            "latency": [0.4, -0.2, 0.1, np.nan],
            "windows": [40, 40, 39, 0],
            "coverage": [1.0, 0.9, 0.8, 0.0],
        },
        index=whole.scorecard.index,
    )
    page = written(dataclasses.replace(whole, scorecard=raw, headline=None), tmp_path)
    assert "4 signals were compared." in page.text
    assert "not corrected for chance" in page.text
    assert "beyond chance" not in page.text
    assert "−0.30" in page.text


def test_undefined_is_a_dash_that_sorts_last_and_never_zero(tmp_path: Path) -> None:
    whole = samples.full(3)
    whole.scorecard.iloc[1] = np.nan
    page = written(whole, tmp_path)
    rows = re.findall(r"<tr.*?</tr>", page.source, flags=re.S)
    last = [row for row in rows if "GE1" in row and "<td" in row][-1]
    assert rows.index(last) == max(i for i, row in enumerate(rows) if "<td" in row and "GE" in row)
    assert last.count("–") == 16 - 2  # the quartiles stand beside the latency
    assert 'data-sort=""' in last
    assert "nan" not in last
    assert "0.00" not in last


@pytest.mark.parametrize("k", [1, 79])
def test_one_signal_and_79_signals(k: int, tmp_path: Path) -> None:
    whole = samples.full(k, 300)
    page = written(whole, tmp_path)
    rows = [a for a in page.all("th") if a.get("scope") == "row" and "data-sort" in a]
    assert len(rows) == k
    heat = page.figures["matrix-r"]["layout"]
    assert heat["xaxis"]["ticktext"] == list(whole.matrix.y_names)
    assert ("overview" in page.figures) == (k > 1)


def test_signals_without_a_single_value(tmp_path: Path) -> None:
    whole = samples.full(3, 200)
    empty = samples.signals(np.full((200, 3), np.nan), list(whole.scorecard.index))
    table = dataclasses.replace(
        whole.matrix,
        mean=np.full((3, 3), np.nan),
        std=np.full((3, 3), np.nan),
        lag=np.full((3, 3), np.nan),
        values=np.full((40, 3, 3), np.nan),
        lags=np.full((40, 3, 3), np.nan),
    )
    surface = LagSurface("GE0", np.full((40, 34), np.nan), table.times, np.linspace(-1.1, 0, 34))
    page = written(
        dataclasses.replace(
            whole,
            participant=Person("Participant", signals=empty),
            aligned=(empty, empty),
            matrix=table,
            surfaces=[surface],
            scorecard=whole.scorecard * np.nan,
        ),
        tmp_path,
    )
    assert "0 %" in page.text
    assert "undefined (too little data, or no movement)" in page.scripts[0]


def test_matrices_need_not_be_square_nor_share_names(tmp_path: Path) -> None:
    whole = samples.full(3)
    table = dataclasses.replace(
        whole.matrix,
        mean=np.zeros((3, 2)),
        lag=np.zeros((3, 2)),
        y_names=["other", "another"],
        values=None,
        lags=None,
    )
    page = written(ReportContent("Not square", matrix=table), tmp_path)
    assert "where a row and a column have the same name" not in page.text
    heat = page.figures["matrix-latency"]["layout"]
    assert heat["yaxis"]["ticktext"] == ["GE0", "GE1", "GE2"]
    assert heat["xaxis"]["ticktext"] == ["other", "another"]


def test_latency_is_positive_where_the_analysis_has_a_negative_lag(tmp_path: Path) -> None:
    whole = samples.full(2)
    table = dataclasses.replace(
        whole.matrix, lag=np.array([[-0.25, 0.5], [0.0, np.nan]]), values=None, lags=None
    )
    page = written(ReportContent("Signs", matrix=table), tmp_path)
    z = page.figures["matrix-latency"]["data"][0]["z"]
    latency = np.frombuffer(base64.b64decode(z["bdata"]), dtype="f4").reshape(2, 2)
    np.testing.assert_array_equal(latency, [[0.25, -0.5], [0.0, np.nan]])


def test_landmarks_are_drawn_by_their_distance(tmp_path: Path) -> None:
    whole = samples.full(2, 60)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = samples.signals(np.stack([np.cos(turn), np.sin(turn)], axis=1), ["x0", "y0"])
    circle = circle.replace(kind="landmark", dimension=2, units="pixels", schema="ibug51")
    table = dataclasses.replace(
        whole.matrix,
        mean=np.ones((1, 1)),
        lag=np.zeros((1, 1)),
        x_names=["landmark 0"],
        y_names=["landmark 0"],
        values=None,
        lags=None,
    )
    page = written(ReportContent("Circle", aligned=(circle, circle), matrix=table), tmp_path)
    y = page.figures["course-0"]["data"][0]["y"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(y["bdata"]), "f4"), 1, rtol=1e-6)
    assert "distance from their own average place" in page.text


def test_each_signal_has_its_own_values_in_the_figure_of_the_first(tmp_path: Path) -> None:
    whole = samples.full(5, 60)
    page = written(whole, tmp_path)
    drawn = {a["value"]: a["data-title"] for a in page.all("option")}
    names = {f"{name}: participant over model": name for name in whole.scorecard.index}
    assert {names[title] for title in drawn.values() if title in names} == set(names.values())
    for i in range(5):
        figure, name = page.figures[f"course-{i}"], names[drawn[f"course-{i}"]]
        assert figure.get("like") == (None if i == 0 else "course-0")
        model, participant, windows = (
            np.frombuffer(base64.b64decode(trace["y"]["bdata"]), "f4") for trace in figure["data"]
        )
        for line, person in zip((participant, model), whole.aligned, strict=True):
            np.testing.assert_array_equal(line, person.select([name]).values[:, 0].astype("f4"))
        at = whole.matrix.x_names.index(name), whole.matrix.y_names.index(name)
        np.testing.assert_array_equal(windows, whole.matrix.values[:, *at].astype("f4"))


def test_a_long_recording_is_thinned_and_says_so(tmp_path: Path) -> None:
    assert "The analysis used them all" not in written(samples.full(2, 900), tmp_path).text
    page = written(samples.full(2, 30_000), tmp_path)
    assert "The recording has 30000 frames" in page.text
    assert "The analysis used them all" in page.text
    assert len(page.source) < 8e6


def test_pictures_hold_the_face_with_landmarks_in_place(tmp_path: Path) -> None:
    image = np.zeros((400, 800, 3), dtype=np.uint8)
    points = np.full((51, 2), (600.0, 200.0)) + np.linspace(-40, 40, 51)[:, None]
    frame = Thumbnail(2.0, image, points)
    page = written(ReportContent("Face", Person("P", frames=[frame])), tmp_path)
    (shown,) = page.all("img")
    assert shown["alt"] == "P at 2.00 seconds, with the landmarks found"
    side = int(shown["width"])
    assert side == int(shown["height"]) == 152
    circles = [(float(c["cx"]), float(c["cy"])) for c in page.all("circle")]
    assert len(circles) == 51
    np.testing.assert_allclose(circles[25], (76, 76), atol=0.5)
    assert all(0 <= x <= side and 0 <= y <= side for x, y in circles)


def test_a_frame_without_a_face_says_so(tmp_path: Path) -> None:
    lost = Thumbnail(1.0, np.zeros((50, 80, 3), np.uint8), np.full((51, 2), np.nan))
    page = written(ReportContent("Lost", Person("P", frames=[lost])), tmp_path)
    assert page.all("img")[0]["alt"] == "P at 1.00 seconds, no face found"
    assert not page.all("circle")


def test_the_same_content_makes_the_same_file(tmp_path: Path) -> None:
    first = write_report(samples.full(3), tmp_path / "a.html").read_bytes()
    assert write_report(samples.full(3), tmp_path / "b.html").read_bytes() == first


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")
    broken = dataclasses.replace(samples.full(2), matrix=object())
    with pytest.raises(AttributeError):
        write_report(broken, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(ReportContent("r"), tmp_path / "nowhere" / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_headings_are_nested_and_images_have_words(tmp_path: Path) -> None:
    page = written(samples.full(), tmp_path)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(a["alt"] for a in page.all("img"))
    drawings = [a for a in page.all("div") if "data-figure" in a]
    assert drawings
    assert all(a["aria-label"].startswith("Figure: ") for a in drawings)
    labelled = {a["for"] for a in page.all("label") if "for" in a}
    assert {a["id"] for a in page.all("select")} == labelled


def test_contents_that_make_no_sense_are_refused() -> None:
    a, b = (samples.signals(np.zeros((n, 1)), ["a"]) for n in (10, 11))
    with pytest.raises(ParameterError, match="one clock"):
        ReportContent("r", aligned=(a, b))
    with pytest.raises(ParameterError, match="uint8"):
        Thumbnail(0.0, np.zeros((4, 4, 3)))
    with pytest.raises(ParameterError, match=r"\(51, 2\)"):
        Thumbnail(0.0, np.zeros((4, 4, 3), np.uint8), np.zeros((68, 2)))


def test_a_report_of_a_tested_pair_agrees_with_its_headline(tmp_path: Path) -> None:
    participant, model, _ = imitated_pair(6, imitated=3, duration=60, seed=3)
    quality = imitation_quality(participant, model, width=2.0, n_surrogates=99, seed=1)
    page = written(
        ReportContent(
            "Pair",
            Person("Participant", signals=participant),
            Person("Model", signals=model),
            headline=str(quality.headline),
            scorecard=quality.scorecard,
            findings=quality.findings,
            aligned=(participant, model),
            matrix=quality.matrix,
            data_dictionary=quality.data_dictionary,
            provenance=quality.provenance,
            parameters=quality.provenance["parameters"],
        ),
        tmp_path,
    )
    marked = [a for a in page.all("tr") if a.get("class") == "beyond"]
    assert len(marked) == quality.headline.imitated == 3
    assert str(quality.headline) in page.text
    for meaning in quality.data_dictionary["meaning"].iloc[1:]:
        assert page.text.count(meaning) >= 1


def test_windows_come_from_their_own_table(tmp_path: Path) -> None:
    """The matrix of all pairs then needs no windows, which of a long recording are gigabytes."""
    whole = samples.full(3)
    table = whole.matrix
    at = {name: i for i, name in enumerate(table.x_names)}
    rows = pd.concat(
        pd.DataFrame(
            {
                "signal": name,
                "time": table.times,
                "r": table.values[:, i, i],
                "latency": -table.lags[:, i, i],
            }
        )
        for name, i in at.items()
    )
    bare = dataclasses.replace(table, values=None, lags=None)
    of_matrix, of_table = tmp_path / "a.html", tmp_path / "b.html"
    write_report(whole, of_matrix)
    write_report(dataclasses.replace(whole, matrix=bare, windows=rows), of_table)
    assert of_table.read_text() == of_matrix.read_text()


def test_the_page_of_a_long_recording_stays_small(tmp_path: Path) -> None:
    short, long = tmp_path / "short.html", tmp_path / "long.html"
    whole = samples.full(3)
    write_report(whole, short)
    names = list(whole.matrix.x_names)
    times = np.arange(10_800.0)
    rng = np.random.default_rng(0)
    windows = pd.concat(
        pd.DataFrame({"signal": n, "time": times, "r": rng.random(10_800), "latency": 0.4})
        for n in names
    )
    pair = tuple(samples.signals(rng.random((324_000, 3)), names) for _ in range(2))
    write_report(dataclasses.replace(whole, windows=windows, aligned=pair), long)
    assert "in one of 6 windows" in long.read_text()
    assert "in each window" in short.read_text()
    assert long.stat().st_size < short.stat().st_size + 4e6
