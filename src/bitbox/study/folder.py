"""What a study leaves in its folder."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.analysis.quick_z import SHIFTS
from bitbox.files import replacing
from bitbox.provenance import hash_file
from bitbox.statistics.columns import data_dictionary
from bitbox.study.columns import COLUMNS
from bitbox.study.group_tests import PERMUTATIONS
from bitbox.study.page import write_page
from bitbox.study.result import StudyResult
from bitbox.system.harmless import cells

if TYPE_CHECKING:
    import pandas as pd


TABLES = ("scores", "pairs", "failures", "groups", "reliability", "quality")
RECORD = "study.json"
_LONGEST = 32_767  # bytes of a text that SPSS takes

_R = """# The scores of a study of imitation: reading and a first look.
# install.packages("ggplot2")
library(ggplot2)
scores <- read.csv("scores.csv", encoding = "UTF-8")
people <- aggregate(excess ~ id + group + condition + signal, data = scores, FUN = mean)
plot <- ggplot(people, aes(x = group, y = excess)) +
  geom_hline(yintercept = 0, colour = "grey70") +
  geom_jitter(width = 0.15, alpha = 0.5) +
  stat_summary(fun.data = mean_se, colour = "red") +
  facet_wrap(~ signal) +
  labs(y = "imitation beyond chance (r less the mean of surrogates)")
ggsave("scores.png", plot, width = 12, height = 9)
"""


def write_study(result: StudyResult, methods: str, record: Mapping[str, Any]) -> None:
    """Write all tables, the report and, last, the record with their hashes.

    Parameters
    ----------
    result : StudyResult
        What was found.
    methods : str
        How every pair was compared.
    record : mapping
        What is needed to repeat it.

    Raises
    ------
    OutputError
        Something cannot be written.
    """
    folder = result.folder
    with contextlib.ExitStack() as names:
        # All are written under other names first; the record is the last that gets its own.
        last = names.enter_context(replacing(folder / RECORD))
        written: dict[str, Path] = {}

        def new(name: str) -> Path:
            written[name] = names.enter_context(replacing(folder / name))
            return written[name]

        for name in TABLES:
            table = cells(getattr(result, name))
            table.to_csv(new(f"{name}.csv"), index=False, float_format="%.9g")
        paragraphs = [*([methods] if methods else []), *_group_methods(record)]
        for name, text in {"methods.txt": "\n\n".join(paragraphs) + "\n", "study.R": _R}.items():
            new(name).write_text(text, encoding="utf-8", errors="backslashreplace")
        _columns().to_csv(new("columns.csv"), index=False)
        if find_spec("pyreadstat") is not None:
            _write_spss(result.scores, new("study.sav"))
        if find_spec("jinja2") is not None:
            write_page(result, paragraphs, new("report.html"))
        hashes = {name: hash_file(path) for name, path in written.items() if name != "study.sav"}
        said = {**record, "files": hashes}
        text = json.dumps(said, indent=1, ensure_ascii=False, default=str)
        last.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _group_methods(record: Mapping[str, Any]) -> list[str]:
    """Return the paragraphs of a methods section about the tests over people."""
    people = (
        "People were compared by the excess of each signal: its shape less the mean shape of its "
        "surrogates, averaged over a person's recordings. Each group was tested against chance by "
        "changing the signs of people's z; groups were compared by exchanging people between "
        "them, and conditions by changing the signs of people's differences, or, where other "
        "people took part, by exchanging them. All permutations were taken where there are few, "
        f"and {PERMUTATIONS} at random otherwise; p is two-sided. The largest |t| (Welch's, "
        "between groups) of each permutation corrects for the number of signals (Westfall and "
        "Young 1993; Nichols and Holmes 2002, doi:10.1002/hbm.1058). Effect sizes are Hedges' g "
        "with 95% bootstrap intervals (BCa) over people. Reliability is the split-half "
        "correlation after Spearman and Brown, and the intraclass correlation ICC(2,1) of "
        "sessions (Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420)."
    )
    chance = record.get("chance")
    if not chance or not chance["pairings"]:
        return [people]
    pairings = (
        "Whether people match what they saw better than what others saw was tested by exchanging "
        "models: each participant was also compared with other people's models (or, where all had "
        "the same, with models that the person saw in other recordings), from the beginning of "
        f"what was compared of each; {chance['pairings']} pairings in all. The score of right and "
        f"wrong pairings is the z of the shape against {SHIFTS} circular shifts. Its mean over "
        "people was compared with that in exchanges of the models within groups, all recordings "
        f"of a person together: all exchanges where there are few, {PERMUTATIONS} at random "
        "otherwise; p is one-sided, and corrected for the number of signals by the largest z of "
        "each exchange."
    )
    circle = chance["people_exchanged_at_most"]
    if circle is not None:
        pairings += (
            f" As there were many recordings, models were only exchanged among at most {circle} "
            "people (or recordings of a person), put together at random."
        )
    return [people, pairings]


def _columns() -> pd.DataFrame:
    """Return what every column of the tables means."""
    import pandas as pd

    said: list[tuple[str, ...]] = [
        ("scores.csv", name, column.meaning, "") for name, column in COLUMNS.items()
    ]
    card = data_dictionary()
    parts = card[["column", "meaning", "unit"]].astype(str).to_numpy()
    said += [("scores.csv", *map(str, row)) for row in parts]
    said += [(f"{table}.csv", name, meaning, "") for table, name, meaning in _OWN]
    return pd.DataFrame(said, columns=["table", "column", "meaning", "unit"])


_OWN = (
    ("scores", "excess", "shape less chance_mean: the score that groups are compared by"),
    ("scores", "half_a", "shape in every other stretch of the recording"),
    ("scores", "half_b", "shape in the stretches between those"),
    (
        "scores",
        "trial",
        "number of the trial; empty: the whole recording, which the scorecard is of",
    ),
    ("scores", "trial_onset", "when it begins, in seconds on the model's clock"),
    ("scores", "trial_offset", "when it ends"),
    ("scores", "trial_label", "what the model shows"),
    (
        "scores",
        "trial_score",
        "how much more like this trial than like trials of other labels the response is; 0: chance",
    ),
    (
        "scores",
        "trial_hit",
        "1: all signals together are most like what was shown; in such rows latency and gain are "
        "of the trial",
    ),
    ("scores", "trial_z", "agreement over trials, in deviations of other orders of the trials"),
    ("scores", "trial_p", "share of orders that reach it"),
    ("scores", "trial_p_fwer", "the same, corrected for all signals"),
    ("scores", "trial_gain", "size of the responses relative to the model's"),
    ("pairs", "offset", "seconds added to the participant's clock, given or found from sound"),
    ("pairs", "offset_uncertainty", "half of its 95 % interval in seconds, where it was found"),
    ("pairs", "offset_drift_ppm", "what the model's clock gains, in parts per million"),
    ("pairs", "trials_overall_p", "whether what is done depends on what is shown, in trials"),
    ("pairs", "trials_hits", "trials in which the response is most like what was shown"),
    ("pairs", "trials_used", "trials that could be used"),
    (
        "pairs",
        "imitated",
        "signals that are imitated beyond chance: p and specific_p_fwer of at most 0.05",
    ),
    ("pairs", "tested", "signals that could be tested"),
    ("pairs", "specific_p", "whether matching signals go together more than others"),
    ("pairs", "participant_coverage", "share of frames in which the participant was measured"),
    ("groups", "test", "what is tested over people"),
    (
        "groups",
        "estimate",
        "mean, or difference of means: group less versus, condition less versus, own model less "
        "others",
    ),
    ("groups", "t", "t; of right against wrong pairings, z among exchanges"),
    ("groups", "p_fwer", "corrected over the signals of the test"),
    ("groups", "g", "Hedges' g"),
    ("groups", "g_low", "lower limit of its 95 % interval"),
    ("groups", "g_high", "upper limit of its 95 % interval"),
    ("groups", "note", "why there is no p, or what else there is to know of the test"),
    ("reliability", "value", "split half: after Spearman and Brown; sessions: ICC(2,1)"),
)


def _write_spss(scores: pd.DataFrame, path: Path) -> None:
    """Write the scores for SPSS, with the columns' own names as labels."""
    import pyreadstat

    names: dict[str, str] = {}
    for column in scores.columns:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", str(column))[:60] or "_"
        name = plain if plain[0].isalpha() else f"v{plain}"
        while name.lower() in {other.lower() for other in names.values()}:
            name = f"{name}_"
        names[str(column)] = name
    table = scores.rename(columns=names)
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = table[column].astype(str).str.slice(0, _LONGEST // 4)
    pyreadstat.write_sav(table, str(path), column_labels=list(names))
