"""The report in a real browser: drawn, usable, and asking nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.report import ReportContent, write_report
from tests.report import samples
from tests.report.test_html import HOSTILE, hostile_content

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed"),
]

# What the tests add to a page to look at it from within. It runs when all figures are drawn.
PROBE = """
const seen = {};
const note = (name, f) => { try { seen[name] = f(); } catch (e) { seen[name] = String(e); } };
const text = (q) => [...document.querySelectorAll(q)].map((e) => e.textContent);
const shown = () => [...document.querySelectorAll("#scorecard-table tbody tr")]
  .filter((r) => r.offsetParent !== null).map((r) => r.querySelector(".signal").textContent);
const look = async () => {
  const wait = () => new Promise((r) => setTimeout(r, 300));
  while (!document.documentElement.dataset.drawn) await wait();
  %s
  document.body.dataset.seen = JSON.stringify(seen);
};
look();
"""


@dataclass(frozen=True)
class Visit:
    """A page as the browser left it."""

    dom: str
    console: list[str]
    requests: list[str]

    @property
    def seen(self) -> dict[str, Any]:
        (found,) = re.findall(r'data-seen="([^"]*)"', self.dom)
        return json.loads(html.unescape(found))

    @property
    def drawn(self) -> list[str]:
        return re.findall(
            r'class="drawing[^"]*js-plotly-plot[^"]*"[^>]*data-drawn="([^"]*)"', self.dom
        )


def visit(content: ReportContent, folder: Path, probe: str = "", width: int = 1280) -> Visit:
    page = write_report(content, folder / "report.html")
    if probe:
        code = PROBE % probe
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        source = page.read_text(encoding="utf-8")
        source = source.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
        page.write_text(
            source.replace("</body>", f"<script>{code}</script></body>"), encoding="utf-8"
        )
    return browse(page, folder, width)


def browse(page: Path, folder: Path, width: int = 1280) -> Visit:
    log = folder / "net.json"
    run = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            "--virtual-time-budget=30000",
            f"--window-size={width},900",
            f"--log-net-log={log}",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return Visit(
        run.stdout,
        [line for line in run.stderr.splitlines() if "CONSOLE" in line],
        requests(log),
    )


def requests(log: Path) -> list[str]:
    """What the page asked the network for; what the browser asks for itself has no origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    return [request["url"] for request in asked if request["initiator"] != "not an origin"]


def test_every_figure_is_drawn_without_an_error_or_a_request(tmp_path: Path) -> None:
    probe = """
    note("buttons", () => [...new Set([...document.querySelectorAll(".modebar-btn")]
      .map((b) => b.getAttribute("data-title") || b.getAttribute("aria-label")))]);
    note("server", () => document.getElementById("strip")._context.plotlyServerURL);
    """
    page = visit(samples.full(8), tmp_path, probe)
    expected = ["chart-shape", "chart-latency", "strip", "overview", "course-0"]
    expected += ["matrix-r", "matrix-latency", "surface-0"]
    assert page.drawn == expected
    assert page.console == []
    assert page.requests == []
    assert "drawing failed" not in page.dom
    assert page.dom.count('class="main-svg"') >= len(expected)
    # Plotly's own buttons would offer to send the figure to its makers
    assert len(page.seen["buttons"]) == 4
    assert not [b for b in page.seen["buttons"] if re.search("share|cloud|send|edit", b, re.I)]
    assert page.seen["server"] == ""


def test_a_request_and_a_script_error_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        "<img src='http://elsewhere.invalid/x.png'><script>nothing.there()</script>",
        encoding="utf-8",
    )
    seen = browse(page, tmp_path)
    assert seen.requests == ["http://elsewhere.invalid/x.png"]
    assert len(seen.console) == 1
    assert "nothing is not defined" in seen.console[0]


def test_79_signals_are_drawn_with_a_readable_label_each(tmp_path: Path) -> None:
    probe = """
    note("labels", () => {
      const boxes = [...document.querySelectorAll("#matrix-r .xtick text")]
        .map((t) => t.getBoundingClientRect());
      const gaps = boxes.slice(1).map((b, i) => b.left - boxes[i].right);
      return { n: boxes.length, narrowest: Math.min(...gaps), height: boxes[0].width };
    });
    """
    page = visit(samples.full(79, 300), tmp_path, probe)
    assert page.console == []
    assert page.seen["labels"]["n"] == 79
    assert page.seen["labels"]["narrowest"] > -1.5
    assert page.seen["labels"]["height"] >= 8


def test_hostile_text_is_shown_and_never_run(tmp_path: Path) -> None:
    probe = """
    note("alerts", () => window.alerted || 0);
    note("images", () => document.querySelectorAll("img").length);
    note("links", () => [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"))
      .filter((a) => !a.startsWith("#")));
    note("svg links", () => document.querySelectorAll("svg a").length);
    note("ticks", () => text("#chart-shape .ytick text"));
    note("handlers", () => document.querySelectorAll("[onload], [onerror]").length);
    """
    page = visit(
        hostile_content(), tmp_path, "window.alert = () => { window.alerted = 1; };" + probe
    )
    assert page.console == []
    assert page.requests == []
    assert page.seen["alerts"] == page.seen["svg links"] == page.seen["handlers"] == 0
    assert page.seen["images"] == 1
    assert page.seen["links"] == []
    assert HOSTILE[0] in page.seen["ticks"]
    assert any(tick.startswith("<b>bold</b> & ") for tick in page.seen["ticks"])


def test_the_scorecard_sorts_folds_and_shows_more_columns(tmp_path: Path) -> None:
    probe = """
    const table = document.querySelector("#scorecard-table");
    const head = (name) => [...table.tHead.rows[0].cells]
      .find((cell) => cell.textContent.trim() === name);
    note("first", shown);
    document.querySelector(".rest button").click();
    note("all", shown);
    head("Signal").querySelector("button").click();
    note("by name", shown);
    head("Shape (r)").querySelector("button").click();
    note("by shape", shown);
    head("Shape (r)").querySelector("button").click();
    note("by shape again", shown);
    note("said", () => head("Shape (r)").getAttribute("aria-sort"));
    note("narrow", () => head("Windows").offsetParent !== null);
    document.querySelector("[data-columns]").click();
    note("wide", () => head("Windows").offsetParent !== null);
    """
    content = samples.full(30, 200)
    content.scorecard.iloc[4] = float("nan")
    seen = visit(content, tmp_path, probe).seen
    names = list(content.scorecard.index)
    by_z = list(content.scorecard.sort_values("z", ascending=False).index)
    by_shape = list(content.scorecard.sort_values("shape", ascending=False).index)
    assert seen["first"] == by_z[:12]
    assert seen["all"] == by_z
    assert seen["by name"] == names
    assert seen["by shape"] == by_shape
    assert seen["by shape again"] == [*by_shape[:-1][::-1], "GE4"]
    assert seen["said"] == "ascending"
    assert seen["narrow"] is False
    assert seen["wide"] is True


def test_another_signal_can_be_chosen(tmp_path: Path) -> None:
    probe = """
    const select = document.querySelector("#choose-course");
    const title = () => document.querySelector("[data-viewer] .title").textContent;
    const place = document.getElementById("single-course");
    note("before", () => [title(), place.dataset.drawn, text(".note")[0]]);
    select.selectedIndex = 3;
    select.dispatchEvent(new Event("change"));
    await wait();
    note("chosen", () => [title(), place.dataset.drawn, place.getAttribute("aria-label")]);
    note("values", () => place._fullData.map((trace) => [...trace.y].slice(0, 3)));
    document.querySelector("[data-move='-1']").click();
    await wait();
    note("moved", () => [title(), place.dataset.drawn, text("#single-course .ytitle")[0]]);
    """
    content = samples.full(6)
    names = list(content.scorecard.sort_values("z", ascending=False).index)
    page = visit(content, tmp_path, probe)
    title = "{}: participant over model"
    assert page.console == []
    assert page.seen["before"][:2] == [title.format(names[0]), "course-0"]
    assert page.seen["chosen"] == [
        title.format(names[3]),
        "course-3",
        "Figure: " + title.format(names[3]),
    ]
    shown = [content.aligned[i].select([names[3]]).values[:3, 0] for i in (1, 0)]
    np.testing.assert_allclose(page.seen["values"][:2], shown, rtol=1e-6)
    assert page.seen["moved"] == [title.format(names[2]), "course-2", "noise units"]


def test_pointing_at_a_cell_names_its_pair_and_undefined_ones(tmp_path: Path) -> None:
    probe = """
    const plot = document.getElementById("matrix-r");
    const hover = async (x, y) => {
      Plotly.Fx.hover(plot, { xval: x, yval: y }, "xy");
      await wait();
      return text("#matrix-r .hoverlayer .hovertext");
    };
    const pair = await hover(2, 1);
    const nothing = await hover(0, 0);
    note("pair", () => pair);
    note("undefined", () => nothing);
    """
    content = samples.full(3)
    content.matrix.mean[0, 0] = float("nan")
    content.matrix.mean[1, 2] = 0.25
    seen = visit(content, tmp_path, probe).seen
    assert "".join(seen["pair"]) == "participant GE1model GE2r = 0.25"
    assert "undefined" in "".join(seen["undefined"])


def test_printing_fits_the_paper_and_opens_what_is_folded(tmp_path: Path) -> None:
    probe = """
    const widths = () => Math.max(...[...document.querySelectorAll("[data-drawn].drawing")]
      .map((p) => p.querySelector(".main-svg").getBoundingClientRect().width));
    note("screen", widths);
    dispatchEvent(new Event("beforeprint"));
    await wait();
    note("paper", widths);
    note("open", () => [...document.querySelectorAll("details")].every((d) => d.open));
    dispatchEvent(new Event("afterprint"));
    await wait();
    note("after", widths);
    note("closed", () => [...document.querySelectorAll("details")].every((d) => !d.open));
    """
    page = visit(samples.full(40, 200), tmp_path, probe)
    assert page.console == []
    assert page.seen["screen"] > 900
    assert page.seen["paper"] <= 681
    assert page.seen["open"] is True
    assert page.seen["closed"] is True
    assert page.seen["after"] == page.seen["screen"]


@pytest.mark.parametrize("width", [500, 800])
def test_nothing_sticks_out_of_the_page(width: int, tmp_path: Path) -> None:
    probe = """
    note("page", () => [document.documentElement.scrollWidth, innerWidth]);
    note("table", () => {
      const box = document.querySelector("#scorecard-table").parentElement;
      return box.scrollWidth - box.clientWidth;
    });
    """
    seen = visit(samples.full(13, 200), tmp_path, probe, width).seen
    assert seen["page"][0] <= seen["page"][1]
    if width >= 800:
        assert seen["table"] <= 0
