"""The tables of a study, from what each pair left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bitbox.study.columns import NAMED
from bitbox.study.group_tests import GroupTest, against_zero, between
from bitbox.study.manifest import Entry
from bitbox.study.pair import CARD, TRIALS
from bitbox.study.reliability import Reliability, retest, split_half

if TYPE_CHECKING:
    import pandas as pd

#: Name of the mean over all signals that a person has.
OVERALL = "all signals"


class Done(NamedTuple):
    """A row of the manifest, and what there is of it.

    Attributes
    ----------
    entry : Entry
        The row.
    folder : Path
        Where its result is.
    record : mapping or None
        What was found; None where it could not be compared.
    error : str
        Why not; empty where it could.
    """

    entry: Entry
    folder: Path
    record: Mapping[str, Any] | None
    error: str = ""


def scores_table(rows: Sequence[Done]) -> pd.DataFrame:
    """Return one row a pair and signal, and, where there are trials, one a pair, trial and signal.

    Parameters
    ----------
    rows : sequence of Done
        The study; pairs that could not be compared are left out.

    Notes
    -----
    ``excess`` is ``shape`` less ``chance_mean``: the score that groups are compared by, since
    people who move more, or more alike all the time, have a higher shape by chance alone. In rows
    of the whole recording ``trial`` is missing; see `whole`.
    """
    import pandas as pd

    tables = []
    for row in rows:
        if row.record is None:
            continue
        card = pd.read_csv(row.folder / CARD)
        card["excess"] = card["shape"] - card["chance_mean"]
        said = {**_said(row.entry), "signal": card["signal"]}
        tables.append(pd.DataFrame(said).join(card.drop(columns="signal")))
        if row.record.get("trials"):
            each = pd.read_csv(row.folder / TRIALS)
            said = {**_said(row.entry), "signal": each["signal"]}
            tables.append(pd.DataFrame(said).join(each.drop(columns="signal")))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["signal"])


def whole(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `scores_table` that are of whole recordings, not of a trial."""
    if "trial" not in scores:
        return scores
    return scores[scores["trial"].isna()].reset_index(drop=True)


def pairs_table(rows: Sequence[Done]) -> pd.DataFrame:
    """Return one row a pair: the headline, how far it was seen, and what there is to say of it."""
    import pandas as pd

    found = []
    for entry, _, record, error in rows:
        row: dict[str, Any] = {**_said(entry), "pair": entry.name, "done": record is not None}
        if record is not None:
            row |= {k: v for k, v in record["headline"].items() if k != "text"}
            for role, recording in record["recordings"].items():
                row |= {f"{role}_{name}": value for name, value in recording.items()}
            row |= _clocks(record["clocks"])
            if record.get("trials"):
                row |= {f"trials_{k}": v for k, v in record["trials"].items() if k != "text"}
                row["trials_headline"] = record["trials"]["text"]
            warned = [f for f in record["findings"] if f["severity"] == "warning"]
            row |= {"warnings": len(warned), "headline": record["headline"]["text"]}
        found.append({**row, "error": error})
    return pd.DataFrame(found)


def _clocks(clocks: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the offset of a pair, and where it was found from sound, how surely."""
    found = clocks["found"] or {}
    names = ("uncertainty", "drift_ppm", "drift_uncertainty_ppm")
    return {"offset": clocks["offset"], **{f"offset_{name}": found.get(name) for name in names}}


def failures_table(rows: Sequence[Done]) -> pd.DataFrame:
    """Return one row a pair that could not be compared, with the reason."""
    import pandas as pd

    failed = [
        {**_said(row.entry), "line": row.entry.line, "error": row.error}
        for row in rows
        if row.error
    ]
    return pd.DataFrame(failed, columns=None if failed else [*NAMED, "line", "error"])


def quality_table(rows: Sequence[Done]) -> pd.DataFrame:
    """Return one row a pair and finding, the warnings first: whose recordings to look at."""
    import pandas as pd

    found = []
    for row in rows:
        for finding in row.record["findings"] if row.record else ():
            said = {name: finding[name] for name in ("severity", "code", "message", "todo")}
            found.append({**_said(row.entry), "pair": row.entry.name, **said})
    columns = [*NAMED, "pair", "severity", "code", "message", "todo"]
    table = pd.DataFrame(found, columns=None if found else columns)
    first = table["severity"].map({"warning": 0, "info": 1}).fillna(0)
    return table.iloc[np.argsort(first.to_numpy(), kind="stable")].reset_index(drop=True)


def _said(entry: Entry) -> dict[str, str]:
    """Return what the manifest says of a pair."""
    files = {"participant": entry.participant.name, "model": entry.model.name}
    return {**entry.labels, **files, **entry.others}


def people(scores: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a score of every person, in every condition: the mean over sessions and trials.

    Returns
    -------
    DataFrame
        Index: group, condition, id. Columns: signals, and `OVERALL`, their mean.
    """
    known = scores.dropna(subset=[value])
    wide = known.pivot_table(
        index=["group", "condition", "id"],
        columns="signal",
        values=value,
        aggfunc="mean",
        sort=False,
    )
    wide.insert(0, OVERALL, wide.mean(axis=1))
    return wide


def groups_table(
    scores: pd.DataFrame, seed: int, more: Sequence[Mapping[str, Any]] = ()
) -> pd.DataFrame:
    """Return the tests over people: against chance, between groups and between conditions.

    Parameters
    ----------
    scores : DataFrame
        Of `scores_table`, with ``group`` and ``condition``.
    seed : int
        Where random numbers start.
    more : sequence of mapping
        Rows of other tests.

    Returns
    -------
    DataFrame
        One row a test and signal. ``p_fwer`` is corrected over the signals of its test;
        `OVERALL` is a test of its own.
    """
    import pandas as pd

    columns = [
        *("test", "score", "group", "condition", "versus", "signal", "n", "n_versus"),
        *("estimate", "t", "p", "p_fwer", "g", "g_low", "g_high", "permutations"),
        "note",
    ]
    rows: list[dict[str, Any]] = []
    if len(scores):
        rows += _against_chance(people(scores, "z"), seed)
        if "trial_z" in scores:
            rows += _against_chance(people(scores, "trial_z"), seed, "trial_z")
        rows += [dict(row) for row in more]
        excess = people(scores, "excess")
        rows += _group_against_group(excess, seed)
        rows += _condition_against_condition(excess, seed)
    return pd.DataFrame(rows, columns=columns).fillna({"note": ""})


def _against_chance(z: pd.DataFrame, seed: int, score: str = "z") -> list[dict[str, Any]]:
    rows = []
    test = "against chance" if score == "z" else "against chance, in trials"
    for (group, condition), values in z.groupby(level=[0, 1], sort=False):
        where = {"test": test, "score": score, "group": group, "condition": condition}
        rows += _tested(values, where, lambda part: against_zero(part, seed))
    return rows


def _group_against_group(excess: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Compare groups in every condition, and, where there are several, over all of them."""
    rows = []
    conditions = list(excess.index.unique(level=1))
    for condition in [*conditions, *([None] if len(conditions) > 1 else [])]:
        part = excess
        if condition is not None:
            part = excess[excess.index.get_level_values(1) == condition]
        each = part.groupby(level=[0, 2], sort=False).mean()
        groups = list(each.index.unique(level=0))
        for k, first in enumerate(groups):
            for second in groups[k + 1 :]:
                where = {
                    "test": "group against group",
                    "score": "excess",
                    "group": first,
                    "condition": "all" if condition is None else condition,
                    "versus": second,
                }
                two = _level(each, first), _level(each, second)
                rows += _tested(two[0], where, lambda a, b: between(a, b, seed), two[1])
    return rows


def _condition_against_condition(excess: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Compare conditions within every group; within people, where the same people are in both."""
    rows = []
    for group, part in excess.groupby(level=0, sort=False):
        each = part.droplevel(0)
        conditions = list(each.index.unique(level=0))
        for k, first in enumerate(conditions):
            for second in conditions[k + 1 :]:
                where = {
                    "test": "condition against condition",
                    "score": "excess",
                    "group": group,
                    "condition": first,
                    "versus": second,
                }
                one, other = _level(each, first), _level(each, second)
                both = one.index.intersection(other.index)
                if len(both):
                    where["test"] += ", same people"
                    rest = one.loc[both] - other.loc[both]
                    rows += _tested(rest, where, lambda d: against_zero(d, seed))
                else:
                    where["test"] += ", other people"
                    rows += _tested(one, where, lambda a, b: between(a, b, seed), other)
    return rows


def _level(table: pd.DataFrame, name: object) -> pd.DataFrame:
    """Return the rows with a name in the first level of the index, without that level."""
    return table[table.index.get_level_values(0) == name].droplevel(0)


def _tested(
    values: pd.DataFrame, where: Mapping[str, Any], test: Any, *others: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return the rows of a test: of the mean over all signals, then of every signal."""
    signals = [str(name) for name in values.columns]
    parts = [slice(0, 1), slice(1, None)] if len(signals) > 2 else [slice(1, None)]
    rows = []
    for part in parts:
        names = signals[part]
        found: GroupTest = test(*(v.to_numpy(float)[:, part] for v in (values, *others)))
        for k, name in enumerate(names):
            rows.append(
                {
                    **where,
                    "signal": name,
                    "n": int(found.n[0, k]),
                    "n_versus": int(found.n[1, k]) or None,
                    **{
                        column: getattr(found, column)[k]
                        for column in ("estimate", "t", "p", "p_fwer", "g")
                    },
                    "g_low": found.low[k],
                    "g_high": found.high[k],
                    "permutations": found.n_permutations,
                }
            )
    return rows


def reliability_table(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return how far each score tells people apart: between halves, and between sessions."""
    import pandas as pd

    columns = ["signal", "score", "kind", "value", "low", "high", "n"]
    rows: list[dict[str, Any]] = []

    def add(signal: str, score: str, kind: str, found: Reliability) -> None:
        said = {"signal": signal, "score": score, "kind": kind}
        rows.append({**said, **found._asdict()})

    if len(scores):
        each = scores.groupby(["signal", "id"], sort=False)[["half_a", "half_b"]].mean()
        every = each.groupby(level=1, sort=False).mean()
        for signal in [OVERALL, *each.index.unique(level=0)]:
            halves = (every if signal == OVERALL else _level(each, signal)).to_numpy(float)
            first, second = halves[:, 0], halves[:, 1]
            add(signal, "shape", "split half", split_half(first, second, seed))
        for score in ("shape", "excess") if len(set(scores["session"])) > 1 else ():
            wide = scores.pivot_table(
                index=["signal", "id"], columns="session", values=score, sort=False
            )
            every = wide.groupby(level=1, sort=False).mean()
            for signal in [OVERALL, *wide.index.unique(level=0)]:
                values = every if signal == OVERALL else _level(wide, signal)
                add(signal, score, "sessions", retest(values.to_numpy(float), seed))
    return pd.DataFrame(rows, columns=columns)
