"""How the tiles of windows are done: each in the cheapest way that is accurate.

A pair is done in float32, or in float64 where that is not enough, or by the definition. What is odd
about a window is found on the way. What missing frames leave of it is only known afterwards; so a
tile in which it is too little for more than a few pairs is done again in float64, and what is too
little even there, or for those few, by the definition.

Sides are ``((x, y), (first column of x, signals of x, first column of y, signals of y,
coordinates))``, arrays (frames, coordinates, signals), read-only. Everything that a kernel takes is
in few arrays: most of the time that compiling takes goes by their number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import gaps, moments, tiles
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.definition import choose, spread
from bitbox.correlation.geometry import COLUMNS, LEAST, ROWS, Geometry
from bitbox.correlation.moments import (
    IS_DOUBTFUL,
    IS_PARTIAL,
    LARGEST,
    LOST,
    MOST,
    OFFSET,
    PARTIAL,
    SMALLEST,
    Room,
)

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
States = NDArray[np.uint8]
Sides = tuple[tuple[FloatArray, FloatArray], tuple[int, int, int, int, int]]

#: How a tile of a window is done: as it is, as one that misses frames, and either in float64.
PLAIN, GAPS, DOUBLE, DOUBLE_GAPS = 0, 1, 2, 3

#: Squared offset above which sums with missing frames are not accurate in float32.
GAP_LIMIT = 3.0

#: In coordination: how many times the smallest squared norm of a window the largest sum of squares
#: about the centre may be for them to be accurate.
GAP_ROOM = 17.0

#: The smallest squared norm of a window, as a share of the largest sum of squares about the centre,
#: at which sums with missing frames are accurate in float64.
ROOM = 1e-5

#: Pairs of a tile that are done by the definition sooner than the whole tile again in float64.
FEW = 8

#: r, lag, states (windows, tiles), redo (windows, n1, n2): whether too little was left of a pair,
#: and hard signals of x, then of y (windows, n1 + n2).
Results = tuple[SingleArray, SingleArray, States, States, States]
#: Registers, whether both windows move, and how many coordinates there are, see `geometry`.
Kinds = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@part
def fill(
    sides: Sides, start: int, geometry: Geometry, kinds: Kinds, room: Room, at: tuple[int, Any, Any]
) -> int:
    """Fill both persons' panels of a window; return what was found.

    at = (column of y's first signal in a block, 1 for float64, 1 if all moments are wanted).
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    corner_y, double, whole = at
    width, moving, found = geometry.window, geometry.coordination, 0
    how = kinds[0], kinds[1]
    for person in range(2):
        data, column, n = (x, column_x, n1) if person == 0 else (y, column_y, n2)
        first, corner = start, corner_y * person
        shifts, every, limit = geometry.shifts, 0, math.inf
        if moving:
            first -= geometry.max_lag
        elif person == 0:
            shifts = 1
        else:
            first += geometry.low
            every = (width + shifts - 1) // moments.SAMPLES + 1
            limit = geometry.limit
        sizes = width, geometry.shifts, d
        place = first, column, max(n, LEAST), corner, *sizes, shifts, geometry.need, every, whole
        if double == 1:
            found |= moments.fill(how, data, room.double, room.marks, (*place, limit))
        else:
            found |= moments.fill(how, data, room.single, room.marks, (*place, limit))
    return found


@part
def rows_of(geometry: Geometry, d: int) -> tuple[int, int]:
    """Return the first rows of `moments.Panel.inverse` and `squares` in a block."""
    inverse = (geometry.window + geometry.shifts - 1) * d
    return inverse, inverse + geometry.shifts * (d + 1)


@part
def look(
    sides: Sides, start: int, geometry: Geometry, room: Room, corner_y: int, what: int, hard: States
) -> None:
    """Find which doubtful windows are still, which signals are hard, and which frames miss."""
    (x, y), (column_x, n1, column_y, n2, d) = sides
    width, marks = geometry.window, room.marks
    inverse, squares = rows_of(geometry, d)
    for person in range(2):
        data, column, n = (x, column_x, n1) if person == 0 else (y, column_y, n2)
        first, corner, shifts = start, corner_y * person, geometry.shifts
        if geometry.coordination:
            first -= geometry.max_lag
        elif person == 0:
            shifts = 1
        else:
            first += geometry.low
        for j in range(n):
            uneven = marks[SMALLEST, corner + j] < ROOM * marks[MOST, corner + j]
            odd = uneven and marks[IS_PARTIAL, corner + j] > 0.0
            doubtful = marks[IS_DOUBTFUL, corner + j]
            if doubtful > 0.0:
                signal = data[:, :, column + j]
                for f in range(shifts):
                    _, count, moved = spread(signal, first + f, signal, first + f, width)
                    if moved == 0.0 and count >= geometry.need:
                        room.single[inverse + f, corner + j] = math.nan
                        room.single[squares + f, corner + j] = math.nan
                        doubtful -= 1.0
                odd |= doubtful > 0.0
            hard[j + n1 * person] = odd
        if what & PARTIAL:
            size, tile = (ROWS, 0) if person == 0 else (COLUMNS, corner_y // ROWS)
            at = first, column, n, corner, width + shifts - 1
            list_missing(data, at, marks, room.lists[tile:], size)


@part
def list_missing(
    data: FloatArray,
    at: tuple[int, int, int, int, int],
    marks: FloatArray,
    lists: IntArray,
    size: int,
) -> None:
    """Note the frames that some partial signal of a tile misses.

    at = (first frame, first column, signals, column in the marks, frames); size : signals of a
    tile.
    """
    first, column, n, corner, frames = at
    partial, lost = marks[IS_PARTIAL], marks[LOST]
    length = lists.shape[1] // 2
    for k in range(frames):
        row, some = data[first + k, 0], 0.0
        for j in range(n):  # without a branch, so that it is done in vectors
            value = row[column + j]
            lost[corner + j] = partial[corner + j] if value != value else 0.0
            some += lost[corner + j]
        for tile in range((n + size - 1) // size):
            before, found = lists[tile, length + k], 0
            if some > 0.0:
                for j in range(tile * size, min(n, (tile + 1) * size)):
                    found |= lost[corner + j] > 0.0
            lists[tile, before] = k
            lists[tile, length + k + 1] = before + found


@part
def put_still(geometry: Geometry, d: int, room: Room) -> None:
    """Let what is undefined in float32 be so in float64."""
    inverse, squares = rows_of(geometry, d)
    for f in range(geometry.shifts):
        for j in range(room.single.shape[1]):
            if math.isnan(room.single[inverse + f, j]):
                room.double[inverse + f, j] = room.double[squares + f, j] = math.nan


@part
def classify(geometry: Geometry, marks: FloatArray, corner_y: int, states: States) -> bool:
    """Decide how each tile is done (docs/engine.md derives the limits); tell if any in float64."""
    some, rows, columns = False, np.int64(ROWS), np.int64(COLUMNS)
    for i in range(states.shape[0]):
        partial_x, _, room_x = judge(marks, i * ROWS, rows)
        for j in range(states.shape[1]):
            first = corner_y + j * COLUMNS
            partial_y, offset, room_y = judge(marks, first, columns)
            partial = partial_x or partial_y
            if geometry.coordination:
                far = room_x * room_y * geometry.limit**2 < 1.0
                far |= partial and min(room_x, room_y) * GAP_ROOM < 1.0
            else:
                far = offset > (min(GAP_LIMIT, geometry.limit) if partial else geometry.limit)
            states[i, j] = (GAPS if partial else PLAIN) + (DOUBLE if far else PLAIN)
            some |= far
    return some


@part
def judge(marks: FloatArray, first: int, size: Any) -> tuple[bool, float, float]:
    """Return whether some signals miss frames, and how unevenly they move, at the most.

    That is the smallest squared norm of a window over the largest sum of squares about the centre,
    and the largest offset.
    """
    partial, offset, room = False, 0.0, 1.0
    for j in range(first, first + size):
        partial |= marks[IS_PARTIAL, j] > 0.0
        offset = max(offset, marks[OFFSET, j])
        if marks[LARGEST, j] > 0.0:
            room = min(room, marks[SMALLEST, j] / marks[MOST, j])
    return partial, offset, room


@part
def too_little(
    redo: States, hard: States, corner: tuple[int, int, int], sizes: tuple[int, int]
) -> int:
    """Count the pairs of a tile of which too little was left, those aside that are hard anyway."""
    count, n1, n2 = 0, sizes[0], sizes[1]
    for i in range(corner[0], min(corner[0] + ROWS, n1)):
        for j in range(corner[1], min(corner[1] + COLUMNS, n2)):
            count += redo[i, j] > 0 and hard[i] == 0 and hard[n1 + j] == 0
    return count


@kernel
def windows(  # noqa: C901 - what kernels call is compiled twice, alone and in them
    sides: Sides,
    starts: IntArray,
    order: IntArray,
    geometry: Geometry,
    kinds: Kinds,
    room: Room,
    out: Results,
    odd: int,
) -> tuple[int, int]:
    """Do the tiles of windows; return what was found, and how many windows have something left.

    odd : 1 where so many windows miss frames that they aren't looked at as if none did, else 0.
    What is left is for `exactly`.
    """
    r, lag, states, redo, hard = out
    n1, n2, d = sides[1][1], sides[1][3], sides[1][4]
    corner_y, polarity = r.shape[1], np.int64(geometry.polarity)
    no, yes = np.int64(0), np.int64(1)  # else functions are compiled for each number
    found, left = 0, 0
    for w in range(starts.size):
        state, small, difficult = states[w], redo[w], hard[w]
        state[:], small[:], difficult[:] = 0, 0, 0
        own, own_gaps = (r[w], lag[w]), (r[w], lag[w], small)
        what, some = 0, False
        for whole in range(odd, 2):
            what = fill(sides, starts[w], geometry, kinds, room, (corner_y, no, whole))
            if what == 0 and not geometry.coordination:
                break
        found |= what
        if what != 0 or geometry.coordination:
            look(sides, starts[w], geometry, room, corner_y, what, difficult)
            some = classify(geometry, room.marks, corner_y, state)
        for double in range(2):
            if double == 1 and not some:
                break
            if double == 1:
                fill(sides, starts[w], geometry, kinds, room, (corner_y, yes, yes))
                put_still(geometry, d, room)
            for j in range(state.shape[1]):
                for i in range(state.shape[0]):
                    corner = i * ROWS, j * COLUMNS, corner_y + j * COLUMNS
                    sizes = geometry.window, geometry.shifts, d, geometry.low
                    at, of_gaps = (*corner, *sizes, polarity), geometry.need
                    at_gaps = (*corner, *sizes, of_gaps, polarity)
                    if state[i, j] == DOUBLE_GAPS and double == 1:
                        gaps.choose(kinds, room.double, room.lists, order, own_gaps, at_gaps)
                    elif state[i, j] == DOUBLE and double == 1:
                        tiles.choose(kinds, room.double, order, own, at)
                    elif state[i, j] == PLAIN and double == 0:
                        tiles.choose(kinds, room.single, order, own, at)
                    elif state[i, j] == GAPS and double == 0:
                        gaps.choose(kinds, room.single, room.lists, order, own_gaps, at_gaps)
                        if too_little(small, difficult, corner, (n1, n2)) > FEW:
                            state[i, j], some = DOUBLE_GAPS, True
        if what != 0:
            left += any_of(difficult) or any_of(small.ravel())
    return found, left


@part
def any_of(flags: States) -> bool:
    """Return whether any flag is set."""
    count = 0
    for flag in flags:  # without a branch, so that it is done in vectors
        count += flag
    return count > 0


@kernel
def exactly(
    sides: Sides, starts: IntArray, order: IntArray, geometry: Geometry, out: Results
) -> None:
    """Do by the definition the pairs of which too little was left, or one of whom is hard."""
    (x, y), (column_x, n1, column_y, n2, _) = sides
    r, lag, _, redo, hard = out
    for w in range(starts.size):
        for i in range(n1):
            for j in range(n2):
                if redo[w, i, j] > 0 or hard[w, i] > 0 or hard[w, n1 + j] > 0:
                    one, other = x[:, :, column_x + i], y[:, :, column_y + j]
                    value, at = choose(one, other, starts[w], order, geometry)
                    r[w, i, j], lag[w, i, j] = value, at
