"""z of two people's matching signals against chance, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.compared import Compared, chosen
from bitbox.analysis.options import Options
from bitbox.analysis.pair import SignalsLike
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import Directed
from bitbox.statistics.null import one_way
from bitbox.statistics.senses import better_of

FloatArray = NDArray[np.float64]

#: Circular shifts that are taken for chance.
SHIFTS = 199


def quick_z(
    participant: SignalsLike,
    model: SignalsLike,
    options: Options,
    signals: Sequence[str] | None = None,
) -> dict[str, float]:
    """Return how far the shape of every signal is above that of circular shifts, in deviations.

    It costs a small part of `imitation_quality`, and is for comparing many pairs with each other:
    it does not say whether a pair is beyond chance. What is alike by chance depends on how fast
    both move, in its mean and in its deviation, so that only z is comparable between pairs.

    Parameters
    ----------
    participant, model, signals
        As for :func:`bitbox.social.imitation_quality`.
    options : Options
        How they are compared.

    Returns
    -------
    dict
        One number a signal; NaN where it cannot be had, or where the signal is not tested because
        it is known to be measured badly.

    Raises
    ------
    BitboxError
        If the two cannot be compared, or are too short.
    """
    pair = chosen(options.prepare(participant, model), options, signals)
    found = _forward(pair)
    if options.mirror == "either" and pair.sided.any():
        found, _ = better_of(found, _forward(pair.in_the_mirror(options)), pair.sided)
    known = np.isfinite(found.null)
    count = np.where(known.sum(axis=0) > 1, known.sum(axis=0), np.nan)
    chance = np.where(known, found.null, 0.0).sum(axis=0) / count
    away = np.where(known, found.null - chance, 0.0)
    deviation = np.sqrt((away**2).sum(axis=0) / count)
    usable = (deviation > 0) & ~pair.left_out
    values = np.where(usable, found.shape - chance, np.nan) / np.where(usable, deviation, 1.0)
    return dict(zip(pair.both.names, values.tolist(), strict=True))


def _forward(pair: Compared) -> Directed:
    places = broken.circular_places(pair.plan, broken.circular_shifts(pair.plan, SHIFTS))
    return Directed(*one_way(pair.both.x, pair.both.y, pair.rule, places))
