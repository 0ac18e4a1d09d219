"""Windows that something is odd about: what it is, and who does which pairs.

A pair is done in float32, or in float64 where that is not enough, or by the definition. What
missing frames leave of a window is only known afterwards; so a tile in which it is too little for
more than a few pairs is done again in float64, and what is too little even there, or for those few,
by the definition.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import gaps, tiles
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.definition import choose, spread
from bitbox.correlation.geometry import COLUMNS, ROWS, Geometry
from bitbox.correlation.imitation import (
    IntArray,
    Lags,
    Sides,
    SingleArray,
    add_windows,
    fill,
    first_frames,
)
from bitbox.correlation.moments import (
    DOUBTFUL,
    IS_DOUBTFUL,
    IS_PARTIAL,
    LARGEST,
    MOST,
    OFFSET,
    SMALLEST,
    Panel,
)

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]

#: How a tile of a window is done: as it is, as one that misses frames, and either in float64.
PLAIN, GAPS, DOUBLE, DOUBLE_GAPS = 0, 1, 2, 3

#: Squared offset above which sums with missing frames are not accurate in float32.
GAP_LIMIT = 3.0

#: The smallest squared norm of a window, as a share of the largest sum of squares about the centre,
#: at which sums with missing frames are accurate in float64.
ROOM = 1e-5

#: Pairs of a tile that are done by the definition sooner than the whole tile again in float64.
FEW = 8

#: r, lag, states (windows, tiles), redo (windows, n1, n2): whether too little was left of a pair,
#: and hard signals of x and of y (windows, n).
Results = tuple[SingleArray, SingleArray, States, States, Flags, Flags]


@part
def settle(
    sides: Sides, start: int, lags: Lags, geometry: Geometry, panels: tuple[Panel, Panel]
) -> None:
    """Find which doubtful windows are still, and which signals are hard because others are not."""
    (x, y), (column_x, n1, column_y, n2, _) = sides
    first_x, first_y = first_frames(start, lags, geometry)
    settle_side(x, (first_x, column_x, n1), geometry, panels[0])
    settle_side(y, (first_y, column_y, n2), geometry, panels[1])


@part
def settle_side(
    data: FloatArray, at: tuple[int, int, int], geometry: Geometry, panel: Panel
) -> None:
    """Do one person's; at = (first frame, first column, signals)."""
    first, column, n = at
    for j in range(n):
        doubtful = panel.marks[IS_DOUBTFUL, j]
        if doubtful > 0.0:
            signal = data[:, :, column + j]
            for f in range(first, first + panel.inverse.shape[0]):
                _, count, moved = spread(signal, f, signal, f, geometry.window)
                if moved == 0.0 and count >= geometry.need:
                    panel.inverse[f - first, j], panel.counts[f - first, j] = math.nan, 0.0
                    doubtful -= 1.0
            panel.hard[j] |= doubtful > 0.0


@part
def classify(geometry: Geometry, panels: tuple[Panel, Panel], states: States) -> None:
    """Decide how each tile is done (docs/engine.md derives the limits)."""
    for i in range(states.shape[0]):
        partial_x, uneven_x, energy_x, room_x, _ = judge(panels[0], i * ROWS, i * ROWS + ROWS)
        for j in range(states.shape[1]):
            first = j * COLUMNS
            partial_y, uneven_y, energy_y, room_y, offset = judge(panels[1], first, first + COLUMNS)
            partial = partial_x or partial_y
            if geometry.coordination:
                size = uneven_x * uneven_y * max(1.0, energy_x / 2, energy_y / 2)
                limit = geometry.limit
                far = room_x * room_y * limit**2 < 1.0 if partial else size > limit
            else:
                far = offset > (min(GAP_LIMIT, geometry.limit) if partial else geometry.limit)
            if partial:
                states[i, j] = DOUBLE_GAPS if far else GAPS
            elif far:
                states[i, j] = DOUBLE if geometry.coordination else DOUBLE_GAPS
            else:
                states[i, j] = PLAIN


@part
def judge(panel: Panel, first: int, stop: int) -> tuple[bool, float, float, float, float]:
    """Return whether some signals miss frames, and how unevenly they move, at the most.

    That is the ratio of the largest norm of a window to the smallest, the largest norm about the
    centre to the largest about its own mean, the smallest squared norm, and the largest offset.
    """
    marks, partial, uneven, energy, room, offset = panel.marks, False, 0.0, 1.0, 1.0, 0.0
    for j in range(first, stop):
        partial |= marks[IS_PARTIAL, j] > 0.0
        offset = max(offset, marks[OFFSET, j])
        if marks[LARGEST, j] > 0.0:
            uneven = max(uneven, math.sqrt(marks[LARGEST, j] / marks[SMALLEST, j]))
            energy = max(energy, math.sqrt(marks[MOST, j] / marks[LARGEST, j]))
            room = min(room, marks[SMALLEST, j] / marks[MOST, j])
    return partial, uneven, energy, room, offset


@part
def prepare(
    sides: Sides,
    start: int,
    lags: Lags,
    geometry: Geometry,
    panels: tuple[Panel, Panel],
    hard: tuple[Flags, Flags],
) -> int:
    """Fill the panels of a window for all that may be odd about it; return what was found."""
    found_x, found_y = fill(sides, start, lags, geometry, panels, np.int64(1))
    for panel in panels:
        for j in range(panel.hard.size):
            uneven = panel.marks[SMALLEST, j] < ROOM * panel.marks[MOST, j]
            panel.hard[j] = uneven and panel.marks[IS_PARTIAL, j] > 0.0
    if (found_x | found_y) & DOUBTFUL:
        settle(sides, start, lags, geometry, panels)
    for panel, flags in zip(panels, hard):  # noqa: B905 - compiled code
        for j in range(flags.size):
            flags[j] = panel.hard[j]
    return found_x | found_y


@part
def list_missing(
    sides: Sides, start: int, lags: Lags, geometry: Geometry, panels: tuple[Panel, Panel]
) -> None:
    """Fill what `gaps.choose` needs besides the moments."""
    (x, y), (column_x, n1, column_y, n2, _) = sides
    first_x, first_y = first_frames(start, lags, geometry)
    rows, columns = np.int64(ROWS), np.int64(COLUMNS)  # else it is compiled for each
    gaps.list_missing(x, (first_x, column_x, n1), panels[0], rows)
    gaps.list_missing(y, (first_y, column_y, n2), panels[1], columns)


@kernel
def carefully(
    sides: Sides,
    starts: IntArray,
    lags: Lags,
    geometry: Geometry,
    room: tuple[tuple[Panel, Panel], tuple[tuple[int, ...], ...], NDArray[Any]],
    out: Results,
    plan: tuple[int, bool],
    sums: FloatArray,
) -> tuple[int, int, int]:
    """Do the tiles of windows that are in a state, and set that of those to be done again.

    room = (panels, (registers, one of `gaps.SINGLE`, `gaps.SEVERAL`, one of `gaps.STAYING`,
    `gaps.MOVING`), room to work), of float32 or float64; plan = (state, whether states are to be
    found first). Of imitation the tiles that nothing is odd about
    are done, too, where they are found. With sums, windows are added to them as soon as `out` is
    full; but it stops where there is something left to do first. Returns the number of windows
    done, what is left to do of those in `out`, and what was found.
    """
    panels, kinds, work = room
    r, lag, states, redo, hard_x, hard_y = out
    state, fresh = plan
    d = sides[1][4]
    polarity = np.int64(geometry.polarity)
    shifts = panels[0].inverse.shape[0]
    left, found = 0, 0
    for number in range(starts.size):
        w = number % r.shape[0]
        if not fresh and not holds(states[w], state):
            continue
        hard = hard_x[w], hard_y[w]
        found |= prepare(sides, starts[number], lags, geometry, panels, hard)
        if fresh:
            redo[w] = 0
            classify(geometry, panels, states[w])
        list_missing(sides, starts[number], lags, geometry, panels)
        for j in range(states.shape[2]):
            for i in range(states.shape[1]):
                corner = i * ROWS, j * COLUMNS
                if states[w, i, j] == state:
                    at = (*corner, geometry.window, d, shifts, geometry.need, polarity)
                    some = r[w], lag[w], redo[w], work
                    gaps.choose(kinds, panels[0], panels[1], lags, some, at)
                    if state == GAPS and too_little(redo[w], hard, corner) > FEW:
                        states[w, i, j] = DOUBLE_GAPS
                elif fresh and states[w, i, j] == PLAIN:
                    at_tile = (*corner, geometry.window * d, d, polarity)
                    own = r[w], lag[w]
                    tiles.imitation(kinds[0], panels[0], panels[1], lags, own, at_tile)
        left |= what_is_left(states[w], redo[w], hard)
        if fresh and (w == r.shape[0] - 1 or number == starts.size - 1):
            if left > 0:
                return number + 1, left, found
            if sums.size > 0:
                add_windows(r[: w + 1], lag[: w + 1], sums)
    return starts.size, left, found


#: What is left to do, to be added up.
SOME_DOUBLE, SOME_EXACT = 1, 2


@part
def what_is_left(states: States, redo: States, hard: tuple[Flags, Flags]) -> int:
    """Return what is left to do of a window."""
    left = SOME_DOUBLE if holds(states, DOUBLE_GAPS) else 0
    if holds(redo, 1) or any_of(hard[0]) or any_of(hard[1]):
        left |= SOME_EXACT
    return left


@part
def any_of(flags: Flags) -> bool:
    """Return whether any flag is set."""
    for flag in flags:  # noqa: SIM110 - compiled code
        if flag:
            return True
    return False


@part
def holds(states: States, wanted: int) -> bool:
    """Return whether a tile is in a state."""
    for i in range(states.shape[0]):
        count = 0
        for j in range(states.shape[1]):  # without a branch, so that it is done in vectors
            count += 1 if states[i, j] == wanted else 0
        if count > 0:
            return True
    return False


@part
def too_little(redo: States, hard: tuple[Flags, Flags], corner: tuple[int, int]) -> int:
    """Count the pairs of a tile of which too little was left, those aside that are hard anyway."""
    count = 0
    for i in range(corner[0], min(corner[0] + ROWS, hard[0].size)):
        for j in range(corner[1], min(corner[1] + COLUMNS, hard[1].size)):
            count += redo[i, j] > 0 and not hard[0][i] and not hard[1][j]
    return count


@kernel
def exactly(
    sides: Sides, starts: IntArray, order: IntArray, geometry: Geometry, out: Results
) -> None:
    """Do by the definition the pairs of which too little was left, or one of whom is hard."""
    (x, y), (column_x, n1, column_y, n2, _) = sides
    r, lag, _, redo, hard_x, hard_y = out
    for w in range(starts.size):
        for i in range(n1):
            for j in range(n2):
                if redo[w, i, j] > 0 or hard_x[w, i] or hard_y[w, j]:
                    one, other = x[:, :, column_x + i], y[:, :, column_y + j]
                    value, at = choose(one, other, starts[w], order, geometry)
                    r[w, i, j], lag[w, i, j] = value, at
