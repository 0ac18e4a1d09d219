"""How far a participant's form is from the model's, with the unit that it is measured in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitbox.analysis.compared import Chance, Compared, Tested
from bitbox.analysis.options import Options
from bitbox.signals import Signals
from bitbox.statistics.contrast import Circle
from bitbox.statistics.difference import Difference, difference


def form(pair: Compared, options: Options, chance: Chance, tested: Tested) -> Difference:
    """Return the distance between two people, signal by signal and over all, against chance.

    What is not tested is not part of the distance over all. Where the better of two senses of
    imitation was kept, p counts that two were tried.
    """
    both, circle = pair.both, Circle.of(pair.plan)
    steps = circle.allowed(pair.plan)
    unit = unit_of(pair.aligned.participant, options.angular)
    others = [(both.x, one) if chance.role == "model" else (one, both.y) for one in tested.others]
    kept = np.isfinite(tested.forward.shape) & ~pair.left_out
    found = difference(both.x, both.y, circle, steps, unit, kept, others, options.threads)
    if options.mirror == "either" and pair.sided.any():
        sided = np.minimum(1.0, 2.0 * found.p)
        found = replace(
            found,
            p=np.where(pair.sided, sided, found.p),
            overall_p=float(np.minimum(1.0, 2.0 * found.overall_p)),
        )
    return found


def unit_of(signals: Signals, angular: bool) -> str:
    """Return the unit of distances between signals: degrees for angles, else their own."""
    unit = signals.units
    if signals.kind == "pose" and unit.count(",") == 1:  # of translations, of rotations
        unit = unit.split(",")[1 if angular else 0].strip()
    return "degrees" if unit == "rad" else unit
