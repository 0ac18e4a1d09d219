"""The columns of the scorecard, from what the windows hold and what happens by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.statistics.columns import COLUMNS
from bitbox.statistics.difference import Difference
from bitbox.statistics.gain import gain
from bitbox.statistics.inference import ALPHA, INDEPENDENT, Alike, fisher_mean, infer
from bitbox.statistics.null import Matched
from bitbox.statistics.specificity import OwnSignals
from bitbox.statistics.windows import Rule

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Columns that say whether there is imitation.
TESTS = ("p", "p_fwer", "q_fdr", "specific_p", "specific_p_fwer", "p_follow")
#: Columns that mean nothing where a signal is not in time.
TIMING = ("latency", "latency_q25", "latency_q75", "gain")


@dataclass(frozen=True)
class Directed:
    """One direction of imitation: what is observed, and what surrogates give.

    Attributes
    ----------
    observed : sequence of Matched
        One a signal.
    null : (m, n) array
        Shapes of the surrogates.
    alike : Alike
        How alike successive rows of the null are.
    """

    observed: Sequence[Matched]
    null: FloatArray
    alike: Alike = INDEPENDENT

    @property
    def shape(self) -> FloatArray:
        """Observed shapes, (n,)."""
        return np.array([signal.shape for signal in self.observed])

    @property
    def can_tell(self) -> bool:
        """Whether anything could be beyond chance; else the recordings are too short."""
        return self.alike.can_tell(len(self.null))


def scorecard(
    names: Sequence[str],
    x: FloatArray,
    y: FloatArray,
    rule: Rule,
    forward: Directed,
    reverse: Directed,
    own: OwnSignals,
    form: Difference,
    reliability: FloatArray,
    left_out: BoolArray,
) -> pd.DataFrame:
    """Return the scorecard, one row a signal, its columns those of `COLUMNS`.

    p, p_fwer and q_fdr are NaN where none of them could be 0.05 or less, and so are those of
    specificity, `own`. Signals that are left out of the tests have no z either. Latency and gain
    are NaN where a signal is not in time.
    """
    import pandas as pd

    shape = forward.shape
    result = infer(np.where(left_out, np.nan, shape), forward.null, forward.alike)
    both = ~(np.isnan(x).any(axis=2) | np.isnan(y).any(axis=2))
    table = {
        "shape": shape,
        "shape_fisher": [fisher_mean(s.strength[s.counted]) for s in forward.observed],
        **{name: getattr(result, name) for name in result.__dataclass_fields__},
        "specific_p": own.p,
        "specific_p_fwer": own.p_fwer,
        **timing(x, y, rule, forward.observed, result.chance_mean),
        "difference": np.where(np.isnan(shape), np.nan, form.each),
        "difference_chance": np.where(np.isnan(shape), np.nan, form.chance),
        "difference_p": np.where(np.isnan(shape) | left_out, np.nan, form.p),
        "windows": [int(s.counted.sum()) for s in forward.observed],
        "coverage": both.mean(axis=0),
        "reverse_z": infer(np.where(left_out, np.nan, reverse.shape), reverse.null).z,
        "p_follow": following(forward, reverse, left_out),
        "reliability": reliability,
    }
    if not rule.plan.causal or not rule.span:  # then both directions are the same
        table["p_follow"] = np.nan
    if not forward.can_tell:
        table |= dict.fromkeys(TESTS, np.nan)
    beyond = in_time(
        pd.DataFrame({name: np.broadcast_to(table[name], shape.shape) for name in TESTS})
    )
    beyond = beyond | (left_out & beyond.any())  # of what is not tested nothing else is known
    table |= {name: np.where(beyond, table[name], np.nan) for name in TIMING}
    index = pd.Index(list(names), name="signal")
    return pd.DataFrame(table, index=index)[[column.name for column in COLUMNS]]


def imitated(card: pd.DataFrame, alpha: float = ALPHA) -> BoolArray:
    """Return which signals are imitated beyond chance, (n,): specific and in time.

    Parameters
    ----------
    card : DataFrame
        A scorecard, with ``specific_p_fwer`` and ``p``; NaN: not imitated, as far as is known.
    alpha : float
        Level of both.

    Notes
    -----
    Who is not specific by more than chance is called an imitator only if `specific_p_fwer` is at
    most alpha, so that the chance of any is at most alpha by that alone. That the signal is in
    time as well needs no second correction for many tests: both have to hold for the same signal
    (an intersection-union test; Berger 1982, Technometrics 24, 295-300).
    """
    found: BoolArray = ((card["specific_p_fwer"] <= alpha) & (card["p"] <= alpha)).to_numpy()
    return found


def in_time(card: pd.DataFrame, alpha: float = ALPHA) -> BoolArray:
    """Return which signals move in time with the model beyond chance, specific or not, (n,).

    Those with a p_fwer of at most alpha, and those that are imitated.
    """
    found: BoolArray = (card["p_fwer"] <= alpha).to_numpy() | imitated(card, alpha)
    return found


def following(forward: Directed, reverse: Directed, left_out: BoolArray) -> FloatArray:
    """Return p that the participant follows the model more than the model the participant, (n,).

    The shape less that with the roles swapped, compared with the same in every surrogate.
    """
    difference = np.where(left_out, np.nan, forward.shape - reverse.shape)
    alike = max(forward.alike, reverse.alike, key=lambda alike: alike.k)
    return infer(difference, forward.null - reverse.null, alike).p


def window_table(
    names: Sequence[str],
    rule: Rule,
    observed: Sequence[Matched],
    chance: FloatArray,
    first_time: float,
) -> pd.DataFrame:
    """Return what every window of every matched signal holds, one row each, signal by signal.

    Columns: ``signal``; ``time``, the window's centre in seconds; ``r``; ``latency`` in seconds;
    ``counts``, whether it is part of shape; ``telling``, whether it is part of latency and gain.
    """
    import pandas as pd

    times = rule.plan.centres + first_time
    tables = [
        pd.DataFrame(
            {
                "signal": name,
                "time": times,
                "r": signal.r,
                "latency": 0.0 - signal.lag / rule.plan.fps,
                "counts": signal.counted,
                "telling": telling(signal, float(chance[i])),
            }
        )
        for i, (name, signal) in enumerate(zip(names, observed, strict=True))
    ]
    return pd.concat(tables, ignore_index=True)


def timing(
    x: FloatArray,
    y: FloatArray,
    rule: Rule,
    observed: Sequence[Matched],
    chance: FloatArray,
) -> dict[str, list[float]]:
    """Return latency and its quartiles, edge and gain of every signal.

    They are taken over windows in which both move and the correlation is above chance: anywhere
    else the best lag is arbitrary.
    """
    plan = rule.plan
    rows = []
    for i, signal in enumerate(observed):
        used = telling(signal, float(chance[i]))
        lags = signal.lag[used].astype(np.int64)
        if not len(lags):
            rows.append([np.nan] * 5)
            continue
        quartiles = np.quantile(0.0 - lags / plan.fps, [0.5, 0.25, 0.75])
        outermost = (lags == plan.lags[0]) | (lags == plan.lags[-1])
        size = gain(x[:, i], y[:, i], plan.starts[used], lags, plan.window)
        rows.append([*quartiles, outermost.mean() if rule.span else np.nan, size])
    columns = ("latency", "latency_q25", "latency_q75", "edge", "gain")
    return {name: [float(row[k]) for row in rows] for k, name in enumerate(columns)}


def telling(signal: Matched, chance: float) -> BoolArray:
    """Return the windows whose lag means something: both move, and r is above chance."""
    with np.errstate(invalid="ignore"):
        above = signal.strength > (chance if np.isfinite(chance) else -np.inf)
    return signal.both_move & above
