"""What a study found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    scores : DataFrame
        One row a pair and signal.
    pairs : DataFrame
        One row a pair: headline, coverage, warnings.
    failures : DataFrame
        One row a pair that could not be compared, with the reason.
    groups : DataFrame
        Tests over people: against chance, right against wrong pairings, between groups, between
        conditions.
    reliability : DataFrame
        How far each score tells people apart.
    quality : DataFrame
        One row a pair and finding: whose recordings to look at.
    folder : Path
        Where all of it was written.

    Examples
    --------
    >>> from bitbox.study import StudyResult
    >>> list(StudyResult.__dataclass_fields__)[:3]
    ['scores', 'pairs', 'failures']
    """

    scores: pd.DataFrame
    pairs: pd.DataFrame
    failures: pd.DataFrame
    groups: pd.DataFrame
    reliability: pd.DataFrame
    quality: pd.DataFrame
    folder: Path
