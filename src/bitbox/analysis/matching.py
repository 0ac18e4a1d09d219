"""Signals of the same name, of two people or many, as arrays on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.pair import SignalsLike, check_comparable
from bitbox.errors import ParameterError, SchemaError
from bitbox.signals import Components, Signals
from bitbox.signals.alignment import Aligned, align
from bitbox.signals.checks import some
from bitbox.statistics.surrogates import MIN_SURROGATES, Role

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Signals whose r with the truth is known to be less than this are not tested unless named.
RELIABLE = 0.6


@dataclass(frozen=True)
class Matching:
    """Signals that two people share.

    Attributes
    ----------
    names : tuple of str
        The n signals, in the participant's order or that asked for.
    x, y : (T, n, d) array
        Participant and model; NaN is missing.
    unmatched : tuple of str
        Signals that only one of the two has.
    reliability : (n,) array
        How well each is measured (r with the truth on other people), the worse of the two where it
        is known of both; NaN where it is not known at all.
    unreliable : (n,) array of bool
        Which are said to be measured too badly to be tested, of one of the two at least.
    """

    names: tuple[str, ...]
    x: FloatArray
    y: FloatArray
    unmatched: tuple[str, ...]
    reliability: FloatArray
    unreliable: BoolArray

    @property
    def doubtful(self) -> BoolArray:
        """Which of the signals are known to be measured too badly to be tested, (n,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.reliability < RELIABLE) | self.unreliable)


def match(
    aligned: Aligned,
    components: Components | None,
    angular: bool,
    signals: Sequence[str] | None,
) -> Matching:
    """Return the signals that both people have, or those of them that are named.

    Raises
    ------
    SchemaError
        If there is no name in common.
    ParameterError
        If a signal is asked for that one of them lacks.
    """
    x_names, x = aligned.participant.components(components, angular=angular)
    y_names, y = aligned.model.components(components, angular=angular)
    names = tuple(name for name in x_names if name in y_names)
    if not names:
        raise SchemaError(
            "Participant and model have no signal in common.",
            expected="signals of the same names",
            got=f"{some(x_names, 4)} and {some(y_names, 4)}",
        )
    if signals is not None:
        wanted = (signals,) if isinstance(signals, str) else tuple(dict.fromkeys(signals))
        unknown = [name for name in wanted if name not in names]
        if unknown or not wanted:
            raise ParameterError(
                "The signals to test must be signals that both people have.",
                expected=some(names),
                got=some(unknown) if unknown else "none",
            )
        names = wanted
    return Matching(
        names,
        _chosen(x, x_names, names),
        _chosen(y, y_names, names),
        tuple(dict.fromkeys(n for n in (*x_names, *y_names) if (n in x_names) != (n in y_names))),
        _reliability(aligned, names),
        np.isin(names, (*aligned.participant.unreliable, *aligned.model.unreliable)),
    )


def _reliability(aligned: Aligned, names: Sequence[str]) -> FloatArray:
    x, y = (
        [person.reliability.get(name, np.nan) for name in names]
        for person in (aligned.participant, aligned.model)
    )
    return np.fmin(x, y)


def _chosen(values: FloatArray, labels: tuple[str, ...], names: tuple[str, ...]) -> FloatArray:
    """Return the named signals of (T, n, d), row by row; of hours no copy is made needlessly."""
    if names == labels:
        return values
    return values.take([labels.index(name) for name in names], axis=1)


def stand_ins(
    others: Sequence[SignalsLike] | None,
    aligned: Aligned,
    both: Matching,
    components: Components | None,
    angular: bool,
    *,
    role: Role = "model",
    mirrored: bool = False,
) -> list[FloatArray]:
    """Return other recordings as (T, n, d) arrays on the pair's clock.

    Each begins when the pair's recordings begin, and is missing (NaN) beyond its end. With
    `mirrored` each is taken as in a mirror, as the model is. `role` says whose place they take.

    Raises
    ------
    ParameterError
        If there are too few to reach p = 0.05, or one is the recording whose place it takes.
    SchemaError
        If one cannot be compared, or lacks a signal.
    """
    if others is None or len(others) < MIN_SURROGATES:
        raise ParameterError(
            "Surrogates of the kind 'pairs' need other recordings.",
            expected=f"others=[...] with at least {MIN_SURROGATES} recordings",
            got=f"{len(others or ())}",
        )
    names = both.names
    replaced = both.y if role == "model" else both.x
    arrays = []
    for number, other in enumerate(others, start=1):
        found = other if isinstance(other, Signals) else Signals.from_bitbox(other, fps=aligned.fps)
        check_comparable(aligned.participant, found)
        found = found.mirrored() if mirrored else found
        moved = found.shifted(float(aligned.model.time[0] - found.time[0]))
        shared = align(aligned.participant, moved, fps=aligned.fps)
        labels, values = shared.model.components(components, angular=angular)
        missing = [name for name in names if name not in labels]
        if missing:
            raise SchemaError(
                "Another recording lacks a signal.", expected=some(names), got=f"no {missing[0]!r}"
            )
        array = np.full((aligned.model.n_frames, len(names), values.shape[2]), np.nan)
        length = min(len(array), len(values))
        array[:length] = values[:length, [labels.index(name) for name in names]]
        if _is_same(array, replaced):
            raise ParameterError(
                f"Other recording number {number} is the {role}'s own, which tells nothing of "
                "people who never met.",
                expected=f"recordings of others than this pair's {role}",
                got=f"the same values in others[{number - 1}]",
                todo=f"Leave the {role}'s own recording, and copies of it, out of others.",
            )
        arrays.append(array)
    return arrays


def _is_same(one: FloatArray, other: FloatArray) -> bool:
    """Return whether two recordings are the same wherever both are known."""
    known = np.isfinite(one) & np.isfinite(other)
    return bool(known.any() and np.allclose(one[known], other[known], rtol=1e-6, atol=0.0))
