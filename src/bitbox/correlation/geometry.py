"""What kernels must know besides the signals: sizes of tiles, registers, frames and limits."""

from __future__ import annotations

import math
import os
from functools import cache
from typing import NamedTuple

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError

#: Signals of x and of y that arrays are padded to.
ROWS = 8
COLUMNS = 16

#: Signals that a vector of float64 takes at the most: as many must be there to be read.
LEAST = 8

#: Terms that are summed before they are added to the total. Short sums of short sums keep the
#: rounding of float32 near that of a sum of this many terms.
BLOCK = 12

#: Register files. The length of the tuple is what tells them apart: it is part of its type.
NARROW = (0,)
WIDE = (0, 0)

#: What else decides which code is written: the precision of a block, whether signals have one
#: coordinate, and whether both windows move.
SINGLE, DOUBLE = (0,), (0, 0)
ONE, SEVERAL = (0,), (0, 0)
STAYING, MOVING = (0,), (0, 0)


class Geometry(NamedTuple):
    """What every kernel must know of the plan; frames and counts."""

    window: int
    max_lag: int
    need: int
    """Valid frames that a window must have."""
    coordination: bool
    polarity: bool
    registers: tuple[int, ...]
    """The register file that tiles are written for (`WIDE` or `NARROW`)."""
    limit: float
    """Squared offset up to which float32 is good enough (docs/engine.md).

    In coordination how unevenly two signals may move, together.
    """
    low: int = 0
    """Of imitation, the most negative lag."""
    shifts: int = 1
    """Places at which a window of y is looked at; in coordination one of x, too."""


def register_file() -> tuple[int, ...]:
    """Return which register file the tiles are to be written for.

    The environment variable BITBOX_REGISTERS ('wide' or 'narrow') overrides what the processor
    says; wide code runs anywhere, only slower.
    """
    asked = os.environ.get("BITBOX_REGISTERS", "")
    if asked not in {"", "wide", "narrow"}:
        raise ParameterError(
            "The environment variable BITBOX_REGISTERS makes no sense.",
            expected="'wide' or 'narrow'",
            got=repr(asked),
        )
    wide = _has_wide_registers() if asked == "" else asked == "wide"
    return WIDE if wide else NARROW


@cache
def _has_wide_registers() -> bool:
    """Return whether this processor has AVX-512; asking takes a third of a millisecond."""
    from llvmlite import binding

    return bool(binding.get_host_cpu_features().get("avx512f", False))


def float32_limit(terms: int) -> float:
    """Return the squared offset up to which float32 sums of so many terms are good to 2e-6.

    docs/engine.md derives it: with sums of short sums the rounding error of r has a variance of
    about ``(unit / 2)^2 (rho^2 (BLOCK / 3 / blocks + blocks / 3 + 2) + 7)``, where rho squared is
    1 + the squared offset; nine standard deviations must fit. Below 0 there is no such offset.
    """
    blocks = max(1.0, terms / BLOCK)
    allowed = (2e-6 / (9 * 2.0**-24 / 2)) ** 2 - 7
    return allowed / (BLOCK / 3 / blocks + blocks / 3 + 2) - 1


def uneven_limit(plan: WindowPlan, terms: int) -> float:
    """Return how unevenly two signals may move, together, for float32 to be good to 2e-6.

    docs/engine.md derives it.
    """
    steps = 4 * plan.max_lag * terms / plan.window
    variance = steps / 6 + max(1.0, terms / BLOCK) / 3 + 2
    return 2e-6 / (2.0**-24 * 1.5 * math.sqrt(variance))
