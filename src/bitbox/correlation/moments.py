"""What the tiles need of one person in one window: values about a centre, and norms. In vectors.

A window is correlated at several shifts, so the frames are a stretch. Three passes over it: the
centre; the energy about it; and the values, with sums that slide from shift to shift. Everything is
scaled so that the energy of the stretch is 1, which keeps squares within the range of float32.

Data are laid out (frames, coordinates, signals), and a missing frame is NaN in all coordinates;
here it is 0. The vectors are written out, a register of float64 at a time; the last one overlaps
the one before, so that nothing has to be padded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from bitbox.correlation.definition import (
    ANEW,
    DELICATE,
    ENOUGH,
    ENOUGH_DOUBLE,
    HUGE,
    TINY,
)
from bitbox.correlation.geometry import COLUMNS, ROWS, WIDE
from bitbox.correlation.vectors import Emitter

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]

#: What is found of a stretch, to be added up. Some window misses frames, but not too many; some is
#: doubtful: still, or too small a movement on its offset or beside a larger one; some lies too far
#: from the centre for float32; or the energy is out of range.
PARTIAL, DOUBTFUL, FAR, STRANGE = 1, 2, 4, 8

#: Frames that a centre is the mean of, where it is not that of the first window.
SAMPLES = 32

#: Rows of `Panel.marks`: whether some window is partial, how many are doubtful, whether some is
#: far, and where all moments are wanted: the largest offset, that is the squared distance of a
#: window's mean from the centre, times frames, over its squared norm; the largest and the smallest
#: squared norm; and the largest sum of squares about the centre.
IS_PARTIAL, IS_DOUBTFUL, IS_FAR, OFFSET, LARGEST, SMALLEST, MOST = range(7)


class Panel(NamedTuple):
    """One person's stretch of a window: frames = width + shifts - 1, of d coordinates."""

    values: Array
    """Differences from the centre, 0 where missing (frames * d, n)."""
    inverse: Array
    """One over the norm about the window's own mean, NaN where undefined (shifts, n)."""
    sums: Array
    """Of the values of a window (shifts * d, n)."""
    squares: Array
    """Sums of their squares (shifts, n)."""
    counts: Array
    """Valid frames, 0 where the window is undefined (shifts, n)."""
    least: Array
    """What missing frames must leave of the squared norm (shifts, n)."""
    marks: FloatArray
    """See `IS_PARTIAL` and the following (7, n)."""
    work: FloatArray
    """Room for centres, their rests, and sums (3 * d, n)."""
    energies: Array
    """Squares of each frame, over the coordinates (frames, n)."""
    missing: Array
    """1 where a frame is missing from a partial signal (frames, n)."""
    listed: IntArray
    """The frames that some signal of a tile misses, for each tile (tiles, frames)."""
    before: IntArray
    """How many of these come before each frame (tiles, frames + 1)."""
    hard: NDArray[np.bool_]
    """Whether each signal must be correlated by the definition (n,)."""


def new_panel(
    width: int, shifts: int, d: int, n: int, dtype: type[np.floating[Any]], size: int
) -> Panel:
    """Return room for a panel of n signals, whole tiles of some size; all 0."""
    frames = width + shifts - 1
    return Panel(
        aligned(frames * d, n, dtype),
        aligned(shifts, n, dtype),
        aligned(shifts * d, n, dtype),
        aligned(shifts, n, dtype),
        aligned(shifts, n, dtype),
        aligned(shifts, n, dtype),
        np.zeros((7, n)),
        np.zeros((3 * d, n)),
        aligned(frames, n, dtype),
        aligned(frames, n, dtype),
        np.zeros((n // size, frames), dtype=np.int64),
        np.zeros((n // size, frames + 1), dtype=np.int64),
        np.zeros(n, dtype=np.bool_),
    )


def new_panels(
    geometry: Any, d: int, padded: tuple[int, int], lags: int, dtype: type[np.floating[Any]]
) -> tuple[Panel, Panel]:
    """Return room for both persons' panels."""
    both = 2 * geometry.max_lag + 1
    shifts = (both, both) if geometry.coordination else (1, lags)
    return (
        new_panel(geometry.window, shifts[0], d, padded[0], dtype, ROWS),
        new_panel(geometry.window, shifts[1], d, padded[1], dtype, COLUMNS),
    )


def aligned(rows: int, n: int, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a matrix of 0 that begins where a vector register's worth of memory does."""
    raw = np.zeros(rows * n + 16, dtype=dtype)
    first = -raw.ctypes.data % 64 // raw.itemsize
    return raw[first : first + rows * n].reshape(rows, n)


@intrinsic
def fill(typing, registers, data, panel, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill the values and the moments of a `Panel`; return what was found.

    data (frames, d, signals). at = (first frame, first column, columns, width, d, need, every,
    whether sums, squares and counts are wanted, limit of the offset). Every so many frames of the
    stretch are averaged for the centre; if 0, it is the mean of the first window, to all digits.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _Fill(context, builder, signature.args, args).emit()

    return types.int64(registers, data, panel, at), codegen


class _Fill(Emitter):
    """The recipe of `fill`."""

    def __init__(self, context: Any, builder: Any, kinds: Any, args: Any) -> None:
        super().__init__(context, builder, types.float64, kinds[0].count == len(WIDE))
        self.single = kinds[2].types[0].dtype == types.float32
        self.source, self.stride = self.data(kinds[1], args[1])
        self.panel = Panel(*(a for a, _ in self.tuple_data(kinds[2], args[2])))
        values = cgutils.unpack_tuple(builder, args[2])
        inverse = context.make_array(kinds[2].types[1])(context, builder, values[1])
        self.shifts, self.n = cgutils.unpack_tuple(builder, inverse.shape)
        (
            self.first, self.column, self.columns, self.width, self.d, need, self.hop,
            wanted, limit,
        ) = cgutils.unpack_tuple(builder, args[3])  # fmt: skip
        self.need, self.limit = self.number(need), self.spread(limit)
        self.wanted = builder.icmp_signed("!=", wanted, self.whole(0))
        self.more = builder.sub(self.shifts, self.whole(1))
        self.frames = self.add(self.width, self.more)
        self.found = cgutils.alloca_once_value(builder, self.whole(0))
        self.zero, self.one = self.constant(0.0), self.constant(1.0)

    def emit(self) -> Any:
        """Write it."""
        b = self.builder
        count = b.sdiv(self.add(self.columns, self.whole(self.lanes - 1)), self.whole(self.lanes))
        last = b.sub(self.columns, self.whole(self.lanes))
        with self.loop(count) as number:
            j = self.mul(number, self.whole(self.lanes))
            self.signals(b.select(b.icmp_signed(">", j, last), last, j))
        return b.load(self.found)

    def signals(self, j: Any) -> None:
        """Do a register of signals."""
        b = self.builder
        energy, magnitude, strange = self.zeros(3)
        with self.loop(self.d) as c:
            self.centre(c, j, energy, magnitude)
        size = self.get(energy)
        good = b.and_(
            b.fcmp_ordered(">", size, self.constant(TINY)),
            b.fcmp_ordered("<", size, self.constant(HUGE)),
        )
        nothing = b.fcmp_ordered("==", size, self.zero)
        self.keep(b.not_(b.or_(good, nothing)), strange, self.one)
        factor = b.select(good, b.fdiv(self.one, self.root(size)), self.one)
        floor = b.fmul(self.get(magnitude), self.number(self.width))
        floor = b.fmul(b.fmul(floor, self.constant(DELICATE**2)), b.fmul(factor, factor))
        floor = b.select(good, floor, self.constant(np.inf))
        square, count, share = self.zeros(3)
        with self.loop(self.d) as c:
            self.lay_out(c, j, factor, square, count)
        self.put(share, b.fdiv(self.one, self.get(count)))
        marks = self.zeros(7)
        self.put(marks[SMALLEST], self.constant(HUGE))
        with self.loop(self.shifts) as f:
            self.window(f, j, (square, count, share), floor, marks)
            with b.if_then(b.icmp_signed("<", f, self.more)):
                self.slide(f, j, factor, square, count, share)
        for k, slot in enumerate(marks):
            self.store(self.get(slot), self.panel.marks, self.place(self.whole(k), j))
        self.note(marks[IS_PARTIAL], self.zero, PARTIAL)
        self.note(marks[IS_DOUBTFUL], self.zero, DOUBTFUL)
        self.note(marks[IS_FAR], self.zero, FAR)
        self.note(strange, self.zero, STRANGE)

    def centre(self, c: Any, j: Any, energy: Any, magnitude: Any) -> None:
        """Find the centre of a coordinate, what rounding took from it, and the energy about it."""
        b = self.builder
        own = b.icmp_signed("==", self.hop, self.whole(0))
        hop = b.select(own, self.whole(1), self.hop)
        total, count, along = self.zeros(3)
        with self.loop(b.select(own, self.width, b.sdiv(self.frames, hop))) as k:
            value, good = self.value(self.mul(k, hop), c, j)
            self.increase(total, self.or_zero(good, value))
            self.increase(count, self.or_zero(good, self.one))
        some = b.fcmp_ordered(">", self.get(count), self.zero)
        mean = self.or_zero(some, b.fdiv(self.get(total), self.get(count)))

        def add(k: Any) -> Any:
            value, good = self.value(k, c, j)
            away = self.or_zero(good, b.fsub(value, mean))
            self.add_to(energy, away, away)
            return away

        with self.loop(self.width) as k:
            self.increase(along, add(k))
        with self.loop(self.more) as k:
            add(self.add(self.width, k))
        rest = self.or_zero(b.and_(some, self.every(own)), b.fdiv(self.get(along), self.get(count)))
        self.add_to(magnitude, mean, mean)
        self.store(mean, self.panel.work, self.place(c, j))
        self.store(rest, self.panel.work, self.place(self.add(self.d, c), j))

    def lay_out(self, c: Any, j: Any, factor: Any, square: Any, count: Any) -> None:
        """Write the first window's values of a coordinate, and find its sums."""
        (along,) = self.zeros(1)
        self.put(count, self.zero)
        centre = self.centre_of(c, j)
        with self.loop(self.width) as k:
            away, good = self.difference(k, c, j, factor, centre, keep=True)
            self.add_to(square, away, away)
            self.increase(along, away)
            self.increase(count, self.or_zero(good, self.one))
        self.store(self.get(along), self.panel.work, self.place_of_sum(c, j))

    def window(self, f: Any, j: Any, sums: Any, floor: Any, marks: list[Any]) -> None:
        """Turn sums into the norm of one window, and where wanted into its other moments."""
        b, panel = self.builder, self.panel
        total, number, share = (self.get(slot) for slot in sums)
        (between,) = self.zeros(1)
        with self.loop(self.d) as c:
            way = self.load(panel.work, self.place_of_sum(c, j))
            self.add_to(between, way, b.fmul(way, share))
            with b.if_then(self.wanted):
                self.store(way, panel.sums, self.place(self.row(f, c), j))
        self.keep(b.fcmp_ordered(">", total, self.get(marks[MOST])), marks[MOST], total)
        left = b.fsub(total, self.get(between))
        slid = b.fmul(self.get(marks[MOST]), self.constant(ANEW))
        least = b.select(b.fcmp_ordered(">", slid, floor), slid, floor)
        enough = b.fcmp_ordered(">=", number, self.need)
        short = b.fcmp_ordered("<", number, self.number(self.width))
        self.keep(b.and_(enough, short), marks[IS_PARTIAL], self.one)
        fine = b.fcmp_ordered(">", left, least)
        self.increase(marks[IS_DOUBTFUL], self.or_zero(b.and_(enough, b.not_(fine)), self.one))
        fine = b.and_(enough, fine)
        away = self.get(between)
        far = b.and_(fine, b.fcmp_ordered(">", away, b.fmul(left, self.limit)))
        self.keep(far, marks[IS_FAR], self.one)
        kind = ir.VectorType(ir.FloatType() if self.single else self.real, self.lanes)
        single = b.fptrunc(left, kind) if self.single else left
        inverse = b.fdiv(ir.Constant(kind, [1.0] * self.lanes), self.root(single))
        nan = ir.Constant(kind, [float("nan")] * self.lanes)
        place = self.place(f, j)
        self.store(b.select(enough, inverse, nan), panel.inverse, place)
        with b.if_then(self.wanted):
            for mark, value, sign in (
                (OFFSET, b.fdiv(away, left), ">"), (LARGEST, left, ">"), (SMALLEST, left, "<"),
            ):  # fmt: skip
                beyond = b.fcmp_ordered(sign, value, self.get(marks[mark]))
                self.keep(b.and_(fine, beyond), marks[mark], value)
            self.store(total, panel.squares, place)
            self.store(self.or_zero(enough, number), panel.counts, place)
            share = ENOUGH if self.single else ENOUGH_DOUBLE
            self.store(b.fmul(left, self.constant(share**0.5)), panel.least, place)

    def slide(self, f: Any, j: Any, factor: Any, square: Any, count: Any, share: Any) -> None:
        """Let one frame enter the sums, and one leave."""
        b, enters = self.builder, self.add(f, self.width)
        (more,) = self.zeros(1)
        with self.loop(self.d) as c:
            centre = self.centre_of(c, j)
            new, in_new = self.difference(enters, c, j, factor, centre, keep=True)
            old, in_old = self.difference(f, c, j, factor, centre, keep=False)
            change, place = b.fsub(new, old), self.place_of_sum(c, j)
            self.add_to(square, change, b.fadd(new, old))
            self.store(b.fadd(self.load(self.panel.work, place), change), self.panel.work, place)
            self.put(more, b.fsub(self.or_zero(in_new, self.one), self.or_zero(in_old, self.one)))
        with b.if_then(self.some(b.fcmp_unordered("!=", self.get(more), self.zero))):
            self.increase(count, self.get(more))
            self.put(share, b.fdiv(self.one, self.get(count)))

    def value(self, k: Any, c: Any, j: Any) -> tuple[Any, Any]:
        """Return the values of a frame's coordinate, and where they are there."""
        row = self.row(self.add(self.first, k), c)
        place = self.add(self.mul(row, self.stride), self.add(self.column, j))
        value = self.load(self.source, place)
        return value, self.builder.fcmp_ordered("ord", value, value)

    def centre_of(self, c: Any, j: Any) -> tuple[Any, Any]:
        """Return the centre of a coordinate, and what rounding took from it."""
        rows = c, self.add(self.d, c)
        mean, rest = (self.load(self.panel.work, self.place(row, j)) for row in rows)
        return mean, rest

    def difference(
        self, k: Any, c: Any, j: Any, factor: Any, centre: tuple[Any, Any], *, keep: bool
    ) -> tuple[Any, Any]:
        """Return the scaled difference from the centre, 0 where missing, and where it is there."""
        b = self.builder
        value, good = self.value(k, c, j)
        away = b.fsub(b.fsub(value, centre[0]), centre[1])
        away = self.or_zero(good, b.fmul(away, factor))
        if keep:
            self.store(away, self.panel.values, self.place(self.row(k, c), j))
        return away, good

    def place(self, row: Any, j: Any) -> Any:
        """Return the place in an array of n columns."""
        return self.add(self.mul(row, self.n), j)

    def place_of_sum(self, c: Any, j: Any) -> Any:
        """Return the place of a coordinate's sum over the window."""
        return self.place(self.add(self.add(self.d, self.d), c), j)

    def row(self, k: Any, c: Any) -> Any:
        """Return the row of a frame's coordinate."""
        return self.add(self.mul(k, self.d), c)

    def or_zero(self, where: Any, value: Any) -> Any:
        """Return a value where a condition holds, 0 elsewhere."""
        return self.builder.select(where, value, self.zero)

    def increase(self, slot: Any, value: Any) -> None:
        """Add to a variable."""
        self.put(slot, self.builder.fadd(self.get(slot), value))

    def number(self, whole: Any) -> Any:
        """Return a vector of copies of a whole number."""
        return self.spread(self.builder.sitofp(whole, self.real))

    def zeros(self, count: int) -> list[Any]:
        """Return variables that are 0."""
        return [self.variable(self.constant(0.0)) for _ in range(count)]

    def some(self, where: Any) -> Any:
        """Return whether a condition holds anywhere."""
        bits = ir.IntType(self.lanes)
        whole = self.builder.bitcast(where, bits)
        return self.builder.icmp_unsigned("!=", whole, ir.Constant(bits, 0))

    def note(self, slot: Any, limit: Any, what: int) -> None:
        """Remember that something was found, if a variable is above a limit anywhere."""
        b = self.builder
        above = self.some(b.fcmp_ordered(">", self.get(slot), limit))
        more = b.select(above, self.whole(what), self.whole(0))
        b.store(b.or_(b.load(self.found), more), self.found)
