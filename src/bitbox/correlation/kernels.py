"""The kernels of imitation: windows in, chosen correlations and lags out.

r at one lag is a sum of products, sum(z y) / norm(y), where z is the window of x about its mean,
scaled to norm 1. z sums to 0, so y needs no centring in the products; one centre for all lags keeps
its values small. `panels` lays out z and y and finds the norms, `tiles` multiplies, and both keep
to vector registers.

Windows that overlap go through `overlap.imitation`, others through `imitation`, in float32 tiles
unless something is odd about them. `shared_gaps.imitation` does those from which all signals miss
the same frames. `imitation_odd` finds out what is odd about the rest, does tiles with missing
frames, and leaves some tiles to `imitation_far` (float64) and some pairs to `exactly`, so that r is
good to 2e-6 (docs/engine.md derives the limits). Each is compiled when first needed.

Sides are ``((rows of x, rows of y), (first column of x, signals of x, first column of y, signals of
y, coordinates))``, rows as in `panels`. Lags are their first frames in y's panel and their values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import ahead, exact, gaps, panels, redo, single, sum_tiles, tiles
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.layout import LEAST, aligned
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]
Sides = tuple[tuple[FloatArray, FloatArray], tuple[int, int, int, int, int]]
Lags = tuple[IntArray, Array]
Room = tuple[tuple[Array, ...], tuple[Array, ...]]
Results = tuple[SingleArray, SingleArray, IntArray, States, Flags, Flags]

#: States of a tile in a window.
DONE, FAR, GAPS = 0, 1, 2

#: What is left to do of a window, to be added up.
SOME_FAR, SOME_EXACT, STRANGE = 1, 2, 4

#: Correlations are brought this close to 1 at most before they are Fisher-transformed.
FISHER_LIMIT = 1.0 - 1e-6


def new_room(
    width: int,
    d: int,
    padded: tuple[int, int],
    lags: int,
    dtype: type[np.floating[Any]],
    *,
    spare: bool,
) -> Room:
    """Return room for what `panels` fills, of signals in whole tiles; all 0.

    If spare, there is room behind the panels for what `gaps` adds up.
    """
    n1, n2 = padded
    stretch = (width + lags - 1) * d
    behind = ((1 + lags * n2) * d, (1 + lags * n1) * d) if spare else (0, 0)
    x, y = aligned(width * d + behind[0], n1, dtype), aligned(stretch + behind[1], n2, dtype)
    return (
        (x[: width * d], np.zeros(n1), np.zeros((3, n1)), np.zeros((2 * d, n1)), x),
        (
            y[:stretch],
            aligned(lags, n2, dtype),
            aligned(lags * d, n2, dtype),
            aligned(lags, n2, dtype),
            aligned(lags, n2, dtype),
            np.zeros((3, n2)),
            np.zeros((2 * d, n2)),
            aligned(lags, n2, dtype),
            y,
        ),
    )


@kernel
def imitation(
    sides: Sides,
    starts: IntArray,
    lags: Lags,
    geometry: exact.Geometry,
    room: Room,
    out: tuple[SingleArray, SingleArray, IntArray],
    sums: FloatArray,
) -> None:
    """Fill ``out = (r, lag, odd)`` for the windows that nothing is odd about, in float32.

    r, lag : (windows, n1, n2); odd : (windows,): what `panels` found, 0 for the windows that are
    done. If there is room for fewer windows in r and lag, they are added to `sums` (see
    `accumulate`) whenever that is full. All is in one function, which compiles in half the time of
    several.
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    r, lag, odd = out
    registers, width, need = geometry.registers, geometry.window, geometry.need
    n1, n2, terms = max(n1, LEAST), max(n2, LEAST), width * d
    lowest, polarity = np.int64(lags[1][0]) - lags[0][0], np.int64(geometry.polarity)
    for w in range(starts.size):
        at_x = starts[w] * d, column_x, n1, width, d, need
        row = (starts[w] + lowest) * d
        at_y = row, column_y, n2, width, d, need, lags[0].size, geometry.limit, 0
        slot = w % r.shape[0]
        odd[w] = panels.participant(registers, x, room[0], at_x)
        odd[w] |= panels.reference(registers, y, room[1], at_y)
        if odd[w] == 0:
            coming = ahead.after(starts, w, width, lowest + lags[0].size - 1)
            for j in range(0, r.shape[2], COLUMNS):
                ahead.fetch_some(sides, coming, j // COLUMNS, r.shape[2] // COLUMNS)
                for i in range(0, r.shape[1], ROWS):
                    at = i, j, terms, d, polarity
                    own = r[slot], lag[slot]
                    tiles.imitation(registers, room[0][0], room[1][0], room[1][1], lags, own, at)
        elif sums.size > 0:
            r[slot] = math.nan
        if sums.size > 0 and (slot == r.shape[0] - 1 or w == starts.size - 1):
            sum_tiles.add_windows(registers, r[: slot + 1], lag[: slot + 1], sums)


@kernel
def imitation_odd(
    sides: Sides,
    starts: IntArray,
    lags: Lags,
    geometry: exact.Geometry,
    room: Room,
    work: gaps.Work,
    out: Results,
    sums: FloatArray,
) -> tuple[int, int]:
    """Decide what is to be done with the other windows, and do what can be done in float32.

    Fills ``out = (r, lag, odd, states, hard_x, hard_y)``. odd is what is left to do; states :
    (windows, n1 / ROWS, n2 / COLUMNS): tiles that are left alone because they need float64; hard_x,
    hard_y : (windows, signals): signals of which every pair must be done exactly. As in
    `imitation`, results are added to `sums` whenever `out` is full; without sums, windows that
    nothing is odd about are left alone. It stops where there is something left to do first. Returns
    the number of windows done, and what is left to do of those in `out`: SOME_FAR, SOME_EXACT, or
    STRANGE, where numbers are too large or small for that.
    """
    r, lag, odd, states, hard_x, hard_y = out
    (x, y), (_, n1, _, n2, _) = sides
    registers = geometry.registers
    beyond = np.int64(lags[1][0]) - lags[0][0] + lags[0].size - 1
    far_y = np.empty(n2, dtype=np.bool_)
    left = 0
    for number in range(starts.size):
        w = number % r.shape[0]
        states[w] = DONE
        hard = hard_x[w], hard_y[w]
        hard[0][:] = False
        hard[1][:] = False
        if sums.size == 0 and odd[w] == 0:
            continue
        start, lowest = starts[number], starts[number] + np.int64(lags[1][0]) - lags[0][0]
        first, strange = (start, lowest), False
        at_x, at_y = single.places(sides, first, geometry, lags[0].size, geometry.limit)
        found = panels.participant(registers, x, room[0], at_x)
        found |= panels.reference(registers, y, room[1], at_y)
        if found & panels.DOUBTFUL:
            strange = single.settle_doubts(sides, first, geometry.window, room, hard)
        coming = sides, ahead.after(starts, number, geometry.window, beyond)
        far = find_far(room, geometry.limit, far_y)
        moved = gaps.sort_partial(room, work, (n1, n2), not far)
        classify(room, geometry.limit, states[w], n2)
        choose_tiles(room, lags, geometry, (states[w], np.uint8(DONE), r[w], lag[w]), coming)
        if gaps.holds(states[w], GAPS):
            gaps.find_lost(sides, first, lags[0], geometry, room, work)
            tasks = states[w], GAPS, r[w], lag[w]
            gaps.choose_tiles(room, work, lags, geometry, tasks, coming)
            if moved:
                gaps.put_back(work, r[w], lag[w])
            if far:
                redo.mark(r[w], states[w], GAPS, far_y)
            redo.redo(sides, start, lags, geometry, (r[w], lag[w]))
        odd[w] = what_is_left(strange, hard, states[w])
        left |= odd[w]
        if w == r.shape[0] - 1 or number == starts.size - 1:
            if left:
                return number + 1, left
            if sums.size > 0:
                sum_tiles.add_windows(registers, r[: w + 1], lag[: w + 1], sums)
    return starts.size, left


@part
def what_is_left(strange: bool, hard: tuple[Flags, Flags], states: States) -> int:
    """Return what other kernels have to do of a window."""
    left = STRANGE if strange else 0
    if gaps.any_of(hard[0]) or gaps.any_of(hard[1]):
        left |= SOME_EXACT
    if gaps.holds(states, FAR):
        left |= SOME_FAR
    return left


@part
def find_far(room: Room, limit: float, far_y: Flags) -> bool:
    """Find the signals of y that are too far from their centre for float32, or for that with gaps.

    If there are any, no signal changes its place, since other kernels have to find the tiles again.
    """
    for j in range(far_y.size):
        far_y[j] = room[1][5][2, j] > min(gaps.LIMIT, limit)
    return gaps.any_of(far_y)


@part
def classify(room: Room, limit: float, states: States, n2: int) -> None:
    """Decide what each tile needs."""
    partial_x, flags = room[0][2][0], room[1][5]
    for j in range(n2):
        if flags[2, j] > limit:
            states[:, j // COLUMNS] = FAR
    for i in range(states.shape[0] * ROWS):
        if partial_x[i] > 0.0:
            states[i // ROWS] = GAPS
    for j in range(n2):
        if flags[0, j] > 0.0:
            states[:, j // COLUMNS] = GAPS


@part
def choose_tiles(
    room: Room,
    lags: Lags,
    geometry: exact.Geometry,
    tasks: tuple[States, Any, Array, Array],
    coming: ahead.Coming,
) -> None:
    """Choose among the lags in the tiles that are in a given state."""
    states, state, r, lag = tasks
    x, y, inverse = room[0][0], room[1][0], room[1][1]
    d = x.shape[0] // geometry.window
    for j in range(states.shape[1]):
        for i in range(states.shape[0]):
            if states[i, j] == state:
                ahead.at_tile(coming, states, (i, j))
                at = i * ROWS, j * COLUMNS, x.shape[0], d, np.int64(geometry.polarity)
                tiles.imitation(geometry.registers, x, y, inverse, lags, (r, lag), at)


@kernel
def imitation_far(
    sides: Sides, starts: IntArray, lags: Lags, geometry: exact.Geometry, room: Room, out: Results
) -> None:
    """Do in float64 the tiles whose state is FAR; room and lags are float64."""
    r, lag, _, states, _, _ = out
    hard = np.empty(r.shape[1], dtype=np.bool_), np.empty(r.shape[2], dtype=np.bool_)
    chosen = np.empty(r.shape[1:]), np.empty(r.shape[1:])
    for w in range(starts.size):
        if not gaps.holds(states[w], FAR):
            continue
        first = starts[w], starts[w] + np.int64(lags[1][0]) - lags[0][0]
        at_x, at_y = single.places(sides, first, geometry, lags[0].size, math.inf)
        found = panels.participant(geometry.registers, sides[0][0], room[0], at_x)
        found |= panels.reference(geometry.registers, sides[0][1], room[1], at_y)
        if found & panels.DOUBTFUL:
            single.settle_doubts(sides, first, geometry.window, room, hard)
        tasks = states[w], np.uint8(FAR), chosen[0], chosen[1]
        choose_tiles(room, lags, geometry, tasks, (sides, (starts[w], starts[w], 0)))
        for i in range(r.shape[1]):
            for j in range(r.shape[2]):
                if states[w, i // ROWS, j // COLUMNS] == FAR:
                    r[w, i, j], lag[w, i, j] = chosen[0][i, j], chosen[1][i, j]


@kernel
def exactly(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do every pair that is marked, or one of whose signals is hard, by the definition.

    x and y are laid out (frames, coordinates, signals).
    """
    r, lag, odd, _, hard_x, hard_y = out
    for w in range(starts.size):
        if odd[w] & SOME_EXACT == 0:
            continue
        for i in range(hard_x.shape[1]):
            for j in range(hard_y.shape[1]):
                if hard_x[w, i] or hard_y[w, j] or r[w, i, j] > redo.BEYOND:
                    a, b = x[:, :, i], y[:, :, j]
                    value, at = exact.choose(a, b, starts[w], order, geometry)
                    r[w, i, j], lag[w, i, j] = value, at


@kernel
def accumulate(
    r: SingleArray, lag: SingleArray, registers: tuple[int, ...], sums: FloatArray
) -> None:
    """Add the defined correlations of some windows to (5, n1, n2).

    These are count, and sums of r, of its magnitude, of its square, and of lags.
    """
    sum_tiles.add_windows(registers, r, lag, sums)


@kernel
def unpack(
    r: SingleArray, lag: SingleArray, fps: float, out: tuple[SingleArray, FloatArray]
) -> None:
    """Copy correlations, and lags in seconds, without the padding; NaN where undefined."""
    for w in range(out[0].shape[0]):
        for i in range(out[0].shape[1]):
            values, lags, source, frames = out[0][w, i], out[1][w, i], r[w, i], lag[w, i]
            for j in range(values.size):
                values[j] = source[j]
            for j in range(values.size):
                lags[j] = frames[j] / fps if source[j] == source[j] else math.nan


@kernel
def multiply(r: SingleArray, registers: tuple[int, ...], products: FloatArray) -> None:
    """Multiply (3, n1, n2) by 1 + r, 1 - r and 1 + |r| of some windows."""
    sum_tiles.multiply_windows(registers, r, products, FISHER_LIMIT)


def fisher_sums(r: SingleArray, registers: tuple[int, ...]) -> FloatArray:
    """Return the sums over windows, (2, n1, n2), of atanh r and of atanh |r|.

    A sum of logarithms is the logarithm of the product, and few logarithms are quickly taken. The
    product of 40 numbers that are no closer to 0 than 1e-6 is far from what float64 cannot hold.
    """
    sums = np.zeros((2, *r.shape[1:]))
    for first in range(0, len(r), 40):
        products = np.ones((3, *r.shape[1:]))
        multiply(r[first : first + 40], registers, products)
        more, less, most = np.log(products)
        sums += (more - less) / 2, most - (more + less) / 2
    return sums


@kernel
def fisher_z(r: Any) -> float:
    """Return atanh of r, which is first limited to +-`FISHER_LIMIT`."""
    return math.atanh(max(-FISHER_LIMIT, min(FISHER_LIMIT, r)))
