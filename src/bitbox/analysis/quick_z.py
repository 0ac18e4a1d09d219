"""z of two people's matching signals against chance, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitbox.analysis.compared import Compared, chosen
from bitbox.analysis.options import Options
from bitbox.analysis.pair import SignalsLike
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import Directed
from bitbox.statistics.inference import standardise
from bitbox.statistics.null import one_way
from bitbox.statistics.senses import better_of

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
    z = standardise(found.shape, found.null)[2]
    return dict(zip(pair.both.names, np.where(pair.left_out, np.nan, z).tolist(), strict=True))


def _forward(pair: Compared) -> Directed:
    places = broken.circular_places(pair.plan, broken.circular_shifts(pair.plan, SHIFTS))
    return Directed(*one_way(pair.both.x, pair.both.y, pair.rule, places))
