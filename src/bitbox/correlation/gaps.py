"""Windows with missing frames: which frames each signal misses, and the tiles that need to know."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import ahead, exact, gap_tiles
from bitbox.correlation.compiled import part
from bitbox.correlation.layout import aligned
from bitbox.correlation.missing import list_missing
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
States = NDArray[np.uint8]
Room = tuple[tuple[Array, ...], tuple[Array, ...]]

#: Of one person: which frames each signal misses, (frames, sizes), and which signal is in which
#: place.
Side = tuple[IntArray, IntArray, IntArray]


class LostX(NamedTuple):
    """What x loses by what y misses, for every lag and signal of y."""

    places: IntArray
    """In x's panel, of one row, of another one, and in the squares (3 lags, n2)."""
    squares: Array
    """Of more than two frames, added up; the first row is 0 (rows, n1)."""
    alone: Array
    """1 where the first row is one frame, whose square is its own (lags, n2)."""
    some: IntArray
    """How many columns of a tile miss frames, two, or more (3 lags, n2 / COLUMNS)."""


class LostY(NamedTuple):
    """What y loses by what x misses, for every lag and signal of x."""

    rows: IntArray
    """One of y's panel, another one, and one of the squares (3 lags, n1)."""
    squares: Array
    """Of more than two frames, added up; the first row is 0 (rows, n2)."""
    alone: Array
    """1 where the first row is one frame, whose square is its own (n1,)."""
    absent: Array
    """1 where y misses a frame too; rows as those of its panel (rows, n2)."""
    missed: Array
    """How many frames x misses (n1,)."""
    share: Array
    """One over the number of those that it has (n1,)."""


#: x, y, what they lose, and how many coordinates there are (see `gap_tiles`).
Work = tuple[Side, Side, LostX, LostY, tuple[int, ...]]

#: Squared offset above which sums with gaps are not accurate in float32: variances are differences
#: of sums there.
LIMIT = 3.0

#: Signals of x and of y that may change places for every tile that becomes free of gaps. Columns
#: of the results are moved number by number.
MOVES = (32, 12)


def workspace(room: Room, width: int, d: int) -> Work:
    """Return room to work in."""
    x, y, inverse = room[0][0], room[1][0], room[1][1]
    n1, n2, lags = x.shape[1], y.shape[1], inverse.shape[0]
    stretch = width + lags - 1
    lost_x = LostX(
        np.empty((3 * lags, n2), dtype=np.int64),
        aligned(1 + lags * n2, n1, np.float32),
        aligned(lags, n2, np.float32),
        np.empty((3 * lags, n2 // COLUMNS), dtype=np.int64),
    )
    lost_y = LostY(
        np.empty((3 * lags, n1), dtype=np.int64),
        aligned(1 + lags * n1, n2, np.float32),
        np.empty(n1, dtype=np.float32),
        aligned(stretch + 1 + lags * n1, n2, np.float32),
        np.empty(n1, dtype=np.float32),
        np.empty(n1, dtype=np.float32),
    )
    kind = gap_tiles.SINGLE if d == 1 else gap_tiles.SEVERAL
    return _side(width, n1), _side(stretch, n2), lost_x, lost_y, kind


def _side(frames: int, n: int) -> Side:
    """Return room for one person."""
    return np.empty((n, frames + 1), np.int64), np.zeros(n, dtype=np.int64), np.arange(n)


@part
def gather(partial: FloatArray, n: int, size: int, most: int, order: IntArray) -> bool:
    """Find places for n signals such that the partial ones share few tiles, if that is worth it.

    Tiles hold `size` signals; `most` may move for every tile that they free. They change places in
    twos. Returns whether any moves.
    """
    count, used, moving, room = 0, 0, 0, 0
    in_tile = np.zeros(-(-n // size), dtype=np.int64)
    kept = np.zeros(in_tile.size, dtype=np.bool_)
    for j in range(order.size):
        order[j] = j
    for j in range(n):
        in_tile[j // size] += 1 if partial[j] > 0.0 else 0
    for k in range(in_tile.size):
        count += in_tile[k]
        used += 1 if in_tile[k] > 0 else 0
    while room < count:  # the fullest are kept
        fullest = -1
        for k in range(in_tile.size):
            if not kept[k] and (fullest < 0 or in_tile[k] > in_tile[fullest]):
                fullest = k
        kept[fullest] = True
        room += min(size, n - fullest * size)
        moving += in_tile[fullest]
        used -= 1
    moving = count - moving
    if moving == 0 or moving > most * used:
        return False
    free = 0
    for j in range(n):
        if partial[j] > 0.0 and not kept[j // size]:
            while partial[free] > 0.0 or not kept[free // size]:
                free += 1
            order[j], order[free] = free, j
            free += 1
    return True


@part
def swap_columns(array: Array, order: IntArray) -> None:
    """Let the columns of a matrix change places; doing it again undoes it."""
    for j in range(order.size):
        other = order[j]
        if other > j:
            for k in range(array.shape[0]):
                array[k, j], array[k, other] = array[k, other], array[k, j]


@part
def swap_rows(array: Array, order: IntArray) -> None:
    """Let the rows of a matrix change places; doing it again undoes it."""
    for i in range(order.size):
        if order[i] > i:
            row, other = array[i], array[order[i]]
            for j in range(row.size):
                kept = row[j]
                row[j] = other[j]
                other[j] = kept


@part
def sort_partial(room: Room, work: Work, signals: tuple[int, int], may_move: bool) -> bool:
    """Put signals that miss frames into common tiles; return whether any moved.

    What is in the panels and tables of `room` changes places with them.
    """
    (panel_x, _, flags_x, _, _), (panel_y, inverse, sums, squares, counts, flags_y, _, norms, _) = (
        room
    )
    order_x, order_y = work[0][2], work[1][2]
    most = MOVES if may_move else (0, 0)
    sizes: tuple[Any, Any] = np.int64(ROWS), np.int64(COLUMNS)  # else it is compiled for each
    moved_x = gather(flags_x[0], signals[0], sizes[0], most[0], order_x)
    moved_y = gather(flags_y[0], signals[1], sizes[1], most[1], order_y)
    if moved_x:
        swap_columns(panel_x, order_x)
        swap_columns(flags_x, order_x)
    if moved_y:
        swap_columns(flags_y, order_y)
        for table in (panel_y, inverse, sums, squares, counts, norms):
            swap_columns(table, order_y)
    return moved_x or moved_y


@part
def put_back(work: Work, r: Array, lag: Array) -> None:
    """Undo in the results what `sort_partial` did."""
    for array in (r, lag):
        swap_rows(array, work[0][2])
        swap_columns(array, work[1][2])


@part
def holds(states: States, wanted: int) -> bool:
    """Return whether a tile is in a state."""
    for state in states.flat:  # noqa: SIM110 - compiled code
        if state == wanted:
            return True
    return False


@part
def any_of(flags: NDArray[np.bool_]) -> bool:
    """Return whether any flag is set."""
    for flag in flags:  # noqa: SIM110 - compiled code
        if flag:
            return True
    return False


@part
def find_lost(
    sides: Any,
    at: tuple[int, int],
    lags: IntArray,
    geometry: exact.Geometry,
    room: Room,
    work: Work,
) -> None:
    """Find what x loses by what y misses, and y by what x misses (see `gap_tiles.imitation`).

    at = (first frame of x, of y). Where a signal misses one frame or two, these are rows in the
    other's panel; where none, a row of 0 behind it. Sums over more frames are behind these. Windows
    of fewer frames than needed are undefined anyway.
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    side_x, side_y, lost_x, lost_y, _ = work
    set_absent(lost_y.absent, side_y, 0.0)
    list_missing(x, (at[0], column_x, n1, d), side_x[2], room[0][2][0], side_x[:2])
    list_missing(y, (at[1], column_y, n2, d), side_y[2], room[1][5][0], side_y[:2])
    set_absent(lost_y.absent, side_y, 1.0)
    for i in range(lost_y.missed.size):
        lost_y.missed[i] = side_x[1][i]
        lost_y.share[i] = 1.0 / (geometry.window - side_x[1][i])
    width, stretch = geometry.window, geometry.window + lags.size - 1
    length = d * room[0][0].shape[1]
    one: Any = np.int64(1)
    one_or_two(side_y, -lags, width, length, lost_x.places)
    one_or_two(side_x, lags, stretch, one, lost_y.rows)
    more_of_x(room[0][4], work, lags, geometry)
    more_of_y(room[1][8], work, lags, stretch)
    for q in range(2 * lags.size):
        for tile in range(lost_x.some.shape[1]):
            columns = slice(tile * COLUMNS, (tile + 1) * COLUMNS)
            lost_x.some[q, tile] = differ(lost_x.places[q, columns], width * length)


@part
def set_absent(absent: Array, side: Side, value: float) -> None:
    """Set the frames that signals miss."""
    missed, sizes, _ = side
    for j in range(sizes.size):
        for m in range(sizes[j]):
            absent[missed[j, m], j] = value


@part
def one_or_two(side: Side, offsets: IntArray, none: int, length: int, out: IntArray) -> None:
    """Fill the places of the rows of up to two frames that each signal misses, or that of 0.

    `none` is the row of 0; out has the first for every offset, and then the second.
    """
    missed, sizes, _ = side
    out_of_range = -missed.shape[1] - none
    first, second = np.empty(sizes.size, dtype=np.int64), np.empty(sizes.size, dtype=np.int64)
    for j in range(sizes.size):
        first[j] = missed[j, 0] if 0 < sizes[j] < 3 else out_of_range
        second[j] = missed[j, 1] if sizes[j] == 2 else out_of_range
    for q in range(offsets.size):
        one, two, offset = out[q], out[offsets.size + q], offsets[q]
        for j in range(sizes.size):  # without a branch, so that it is done in vectors
            k, m = first[j] + offset, second[j] + offset
            m = m if (m >= 0) & (m < none) else none
            inside = (k >= 0) & (k < none)
            one[j] = (k if inside else m) * length
            two[j] = (m if inside else none) * length


@part
def differ(places: IntArray, none: int) -> int:
    """Return how many places are not that of 0."""
    count = 0
    for place in places:
        count += 1 if place != none else 0
    return count


@part
def more_of_x(rows: Array, work: Work, lags: IntArray, geometry: exact.Geometry) -> None:
    """Add up what x loses by the signals of y that miss more than two frames."""
    _, (missed, sizes, _), (places, squares, alone, some), _, _ = work
    width, used, n = geometry.window, 1, squares.shape[1]
    d = rows.shape[0] // (width + squares.shape[0])
    third = 2 * lags.size
    places[third:], alone[:], some[third:] = 0, 1.0, 0
    for j in range(sizes.size):
        size, begin = sizes[j], j * missed.shape[1]
        for q in range(lags.size if size > 2 else 0):
            first, stop = 0, 0
            for m in range(size):  # without a branch, which could not be foreseen
                k = missed[j, m] - lags[q]
                first += 1 if k < 0 else 0
                stop += 1 if k < width else 0
            inside = stop - first
            if inside > width - geometry.need:
                continue
            if 0 < inside < 3:
                places[q, j] = (missed[j, first] - lags[q]) * d * n
                if inside == 2:
                    places[lags.size + q, j] = (missed[j, first + 1] - lags[q]) * d * n
            elif inside > 2:
                which = begin + first, begin + stop, -lags[q], width + used, used, d
                gap_tiles.add_rows((rows, squares), missed, which)
                places[q, j], places[third + q, j] = (width + used) * d * n, used * n
                alone[q, j], some[third + q, j // COLUMNS] = 0.0, 1
                used += 1


@part
def more_of_y(rows: Array, work: Work, lags: IntArray, stretch: int) -> None:
    """Add up what y loses by the signals of x that miss more than two frames."""
    (missed, sizes, _), _, _, (numbers, squares, alone, absent, _, _), _ = work
    d, used, third = rows.shape[0] // absent.shape[0], 1, 2 * lags.size
    numbers[third:], alone[:] = 0, 1.0
    for i in range(sizes.size):
        size, begin = sizes[i], i * missed.shape[1]
        for q in range(lags.size if size > 2 else 0):
            which = begin, begin + size, lags[q], stretch + used, used, d
            gap_tiles.add_rows((rows, squares, absent), missed, which)
            numbers[q, i], numbers[third + q, i] = stretch + used, used
            alone[i], used = 0.0, used + 1


@part
def choose_tiles(
    room: Room,
    work: Work,
    lags: tuple[IntArray, Array],
    geometry: exact.Geometry,
    tasks: tuple[States, Any, Array, Array],
    coming: ahead.Coming,
) -> None:
    """Choose among the lags in the tiles that are in a given state, after `find_lost`."""
    states, state, r, lag = tasks
    _, _, sums, squares, counts, _, _, norms, y = room[1]
    d = room[0][0].shape[0] // geometry.window
    for j in range(states.shape[1]):
        for i in range(states.shape[0]):
            if states[i, j] == state:
                ahead.at_tile(coming, states, (i, j))
                corner = i * ROWS, j * COLUMNS
                at = (*corner, geometry.window, d, geometry.need, np.int64(geometry.polarity))
                gap_tiles.imitation(
                    (geometry.registers, work[4]),
                    room[0][4],
                    (y, sums, squares, norms, counts),
                    work[2],
                    work[3],
                    lags,
                    (r, lag),
                    at,
                )
