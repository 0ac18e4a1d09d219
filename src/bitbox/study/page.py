"""The report of a study: people as rows, signals as columns, and what was tested over people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.report.page import filled, own_file, safe_json
from bitbox.statistics.inference import ALPHA
from bitbox.study.columns import NAMED
from bitbox.study.pair import REPORT
from bitbox.study.pairings import OTHER_CONTENT, OTHER_PEOPLE
from bitbox.study.result import StudyResult
from bitbox.study.tables import OVERALL, whole

if TYPE_CHECKING:
    import pandas as pd


#: What a cell of the large table may show: column of the scores, heading, digits.
_VALUES = (
    ("excess", "beyond chance: r less what surrogates give", 2),
    ("shape", "r at the best lag", 2),
    ("z", "z against chance", 1),
    ("p_fwer", "family-wise p", 3),
    ("latency", "latency in seconds", 2),
    ("gain", "gain", 2),
)
_FINDINGS = 300  # that the page lists; the table has all


def write_page(result: StudyResult, methods: Sequence[str], path: Path) -> None:
    """Write the report of a study as one HTML file that works offline.

    Parameters
    ----------
    result : StudyResult
        What was found.
    methods : sequence of str
        Paragraphs that say how.
    path : Path
        The file.

    Raises
    ------
    BackendError
        Jinja is not installed.
    """
    looked_at = result.quality[result.quality["severity"] == "warning"]
    page = filled(
        "study.html",
        [own_file("study.js")],
        own_file("report.css") + own_file("study.css"),
        data=("study_json", safe_json(json.dumps(_data(result), allow_nan=False))),
        headline=_headline(result),
        glance=_glance(result),
        groups=_tests(result.groups),
        reliability=_numbers(result.reliability, ("value", "low", "high")),
        failures=[_strings(row) for row in result.failures.to_dict("records")],
        findings=[_strings(row) for row in looked_at.head(_FINDINGS).to_dict("records")],
        more_findings=max(0, len(looked_at) - _FINDINGS),
        methods=[part for text in methods for part in text.rstrip().split("\n\n")],
        overall=OVERALL,
    )
    path.write_text(page, encoding="utf-8", errors="replace")


def _headline(result: StudyResult) -> str:
    done = int(result.pairs["done"].sum())
    persons = result.pairs.loc[result.pairs["done"], "id"].nunique()
    people = "1 person" if persons == 1 else f"{persons} people"
    text = f"{done} of {len(result.pairs)} pairs were compared, of {people}."
    tested, beyond = _found(result.groups, "against chance")
    if tested == 1:
        text += f" Imitation is {'beyond' if beyond else 'not beyond'} chance."
    elif tested:
        text += f" Imitation is beyond chance in {beyond} of {tested} groups and conditions."
    for test, words in ((OTHER_PEOPLE, "other people's"), (OTHER_CONTENT, "other content")):
        tested, beyond = _found(result.groups, test, told=True)
        if tested:
            text += f" Own models are matched better than {words} in {beyond} of {tested} tests."
    return text


def _found(groups: pd.DataFrame, test: str, *, told: bool = False) -> tuple[int, int]:
    """Return how many tests of a kind there are, of all signals together, and beyond chance."""
    whole = groups[groups["test"] == test]
    if OVERALL in set(whole["signal"]):
        whole = whole[whole["signal"] == OVERALL]
    if told:
        whole = whole[whole["p"].notna()]
    return len(whole), int(((whole["p"] <= ALPHA) & (whole["estimate"] > 0)).sum())


def _p(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _glance(result: StudyResult) -> list[tuple[str, str]]:
    pairs = result.pairs[result.pairs["done"]]
    facts = [("Pairs compared", str(len(pairs))), ("Failed", str(len(result.failures)))]
    if len(pairs):
        facts.append(("Signals imitated beyond chance (median)", f"{pairs['imitated'].median():g}"))
        seen = pairs[["participant_coverage", "model_coverage"]].min(axis=1)
        facts.append(("Pairs with less than 80% of frames measured", str(int((seen < 0.8).sum()))))
        facts.append(("Pairs with warnings", str(int((pairs["warnings"] > 0).sum()))))
    return facts


def _data(result: StudyResult) -> dict[str, Any]:
    """Return what the scripts of the page show: one row a pair, one column a signal."""
    scores, pairs = whole(result.scores), result.pairs[result.pairs["done"]]
    signals = list(scores["signal"].unique()) if len(scores) else []
    keys = list(NAMED)
    values = {}
    index = [tuple(row) for row in pairs[keys].astype(str).to_numpy()]
    for name, _, digits in _VALUES:
        if len(scores):
            wide = scores.pivot(index=keys, columns="signal", values=name)
            table = wide.reindex(index=index, columns=signals).to_numpy(float)
        else:
            table = np.zeros((0, 0))
        values[name] = [
            [None if not np.isfinite(v) else round(float(v), digits + 1) for v in row]
            for row in table
        ]
    rows = []
    for row in pairs.to_dict("records"):
        report = result.folder / "pairs" / str(row["pair"]) / REPORT
        rows.append(
            {
                **{key: str(row[key]) for key in keys},
                "share": None if np.isnan(float(row["share"])) else float(row["share"]),
                "coverage": min(row["participant_coverage"], row["model_coverage"]),
                "warnings": int(row["warnings"]),
                "report": f"pairs/{row['pair']}/{REPORT}" if report.is_file() else None,
            }
        )
    return {
        "signals": [str(signal) for signal in signals],
        "rows": rows,
        "values": values,
        "shown": [{"name": name, "meaning": words, "digits": d} for name, words, d in _VALUES],
    }


def _tests(groups: pd.DataFrame) -> list[dict[str, str]]:
    """Return the tests over people as text; the mean of all signals, and what is beyond chance."""
    first = groups["signal"] == OVERALL
    kept = groups[first | (groups["p_fwer"] <= ALPHA)]
    rows = _numbers(kept, ("estimate", "g", "g_low", "g_high"))
    for row, found in zip(rows, kept.to_dict("records"), strict=True):
        row |= {name: _p(found[name]) for name in ("p", "p_fwer")}
    return rows


def _numbers(table: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, str]]:
    rows = []
    for row in table.to_dict("records"):
        text = _strings(row)
        for name in columns:
            value = float(row[name])
            text[name] = f"{value:.2f}" if np.isfinite(value) else "–"
        rows.append(text)
    return rows


def _strings(row: dict[Any, Any]) -> dict[str, str]:
    return {str(key): _string(value) for key, value in row.items()}


def _string(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return "" if value is None else str(value)
