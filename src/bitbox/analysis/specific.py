"""Whether it is this movement of the model that is followed, and not any."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.compared import Chance, Compared, Tested
from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.options import Options
from bitbox.statistics.contrast import Circle, Contrast, contrast
from bitbox.statistics.inference import ALPHA
from bitbox.statistics.lag_profile import latencies as profile_latencies
from bitbox.statistics.pattern import shared_pattern
from bitbox.statistics.specificity import Specificity, specificity, why_untold

FloatArray = NDArray[np.float64]


def contrast_of_pair(pair: Compared, options: Options) -> Contrast | None:
    """Return by how much pairs of one name are ahead of others, if that can be had."""
    both = pair.both
    if why_untold(both.x, both.y):
        return None
    circle = Circle.of(pair.plan)
    used = np.append(circle.moved(circle.allowed(pair.plan)), profile_latencies(circle))
    rule = pair.plan, options.polarity, options.min_valid
    return contrast(both.x, both.y, *rule, used, options.threads)


def specific_to_movements(
    pair: Compared,
    matrix: CorrelationResult,
    options: Options,
    chance: Chance,
    found: Tested,
    seen: Contrast | None,
) -> Specificity | None:
    """Return whether it is this movement of the model that is followed, if that can be told.

    Where one pattern of movements is nearly all that both do at the same times, it has to be true
    of another movement, too.
    """
    if seen is None:
        return None
    both, threads = pair.both, options.threads
    rule = pair.plan, options.polarity, options.min_valid
    latencies = seen.circle.allowed(pair.plan)
    tested = np.isfinite(found.forward.shape) & ~pair.left_out
    shapes = of_matched(matrix, both.names, options.polarity)
    people = [(both.x, one) if chance.role == "model" else (one, both.y) for one in found.others]
    others = [contrast(x, y, *rule, latencies, threads) for x, y in people]
    specific = specificity(seen, latencies, shapes, tested, others)
    if specific is not None and specific.p <= ALPHA:
        pattern = shared_pattern(both.x, both.y, pair.plan, options.min_valid)
        specific = specific.beyond(pattern) if pattern.is_all else specific
    if specific is not None and options.mirror == "either" and pair.sided.any():
        specific = specific.of_two_senses()
    if specific is not None and not found.forward.can_tell:
        specific = specific.untold()
    return specific


def of_matched(matrix: CorrelationResult, names: Sequence[str], polarity: bool) -> FloatArray:
    """Return the means over windows of what was maximised, of all pairs of the named signals."""
    rows, columns = ([side.index(n) for n in names] for side in (matrix.x_names, matrix.y_names))
    means = matrix.mean_abs if polarity and matrix.mean_abs is not None else matrix.mean
    return means[np.ix_(rows, columns)]
