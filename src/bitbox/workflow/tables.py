"""The tables of a run: one row a signal, a pair of signals, or a trial, and what columns mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bitbox.analysis.correlation_result import PAIR_COLUMNS, PAIR_TEST_COLUMNS
from bitbox.system.harmless import cells
from bitbox.workflow.finished_run import Run

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.analysis.result import ImitationQuality

#: Which family of signals a row is of, in all tables where there are several.
FAMILY = (
    "family",
    "Family of signals, as --signals names it; each is corrected by itself.",
    "",
    "text",
)


def write_tables(run: Run, place: Path) -> None:
    """Write the tables of a run: those of several families beneath each other, and named."""

    def write(name: str, table: Callable[[Run], pd.DataFrame]) -> None:
        import pandas as pd

        parts = [table(one) for one in run.families]
        if run.more:
            for one, part in zip(run.families, parts, strict=True):
                part.insert(0, "family", one.family)
        whole = pd.concat(parts, ignore_index=True) if run.more else parts[0]
        cells(whole).to_csv(place / name, index=False, float_format="%.9g")

    write("scorecard.csv", lambda one: one.quality.scorecard.rename_axis("signal").reset_index())
    write("pairs.csv", lambda one: _pairs(one.quality))
    if run.trials is not None:
        write("trials.csv", _trials)
        write("trials_scorecard.csv", _of_trials)
    _columns(run).to_csv(place / "columns.csv", index=False)


def _pairs(quality: ImitationQuality) -> pd.DataFrame:
    """Return the table of all pairs, with their test against chance where it was asked for."""
    table = quality.matrix.to_frame()
    if quality.pairs is None:
        return table
    keys = ["participant_signal", "model_signal"]
    return table.merge(quality.pairs.to_frame(), on=keys, how="left", suffixes=("", "_tested"))


def _trials(run: Run) -> pd.DataFrame:
    """Return a table with one row a trial, numbered from 1."""
    import pandas as pd

    if run.trials is None:
        return pd.DataFrame()
    table = run.trials.trials.assign(trial=range(1, len(run.trials.trials) + 1))
    return table[["trial", *run.trials.trials.columns]]


def _of_trials(run: Run) -> pd.DataFrame:
    """Return a table with one row a signal."""
    import pandas as pd

    if run.trials is None:
        return pd.DataFrame()
    return run.trials.scorecard.rename_axis("signal").reset_index()


def _columns(run: Run) -> pd.DataFrame:
    """Return what every column of every table means."""
    import pandas as pd

    quality = run.quality
    card = quality.data_dictionary.assign(table="scorecard.csv")
    explained = PAIR_COLUMNS if quality.pairs is None else PAIR_COLUMNS + PAIR_TEST_COLUMNS
    pairs = pd.DataFrame(explained, columns=["column", "meaning", "unit", "values"])
    every = [card, pairs.assign(table="pairs.csv")]
    if run.trials is not None:
        every.append(run.trials.data_dictionary)
    if run.more:
        named = pd.DataFrame([FAMILY], columns=["column", "meaning", "unit", "values"])
        every = [pd.concat([named.assign(table=part["table"].iloc[0]), part]) for part in every]
    tables = pd.concat(every, ignore_index=True)
    return tables[["table", "column", "meaning", "unit", "values"]]
