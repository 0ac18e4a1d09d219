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
from bitbox.correlation.geometry import COLUMNS, MOVING, ROWS, WIDE, Geometry
from bitbox.correlation.vectors import Emitter, apart

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: What is found of a stretch, to be added up. Some window misses frames, but not too many; some is
#: doubtful: still, or too small a movement on its offset or beside a larger one; some lies too far
#: from the centre for float32; or the energy is out of range.
PARTIAL, DOUBTFUL, FAR, STRANGE = 1, 2, 4, 8

#: Frames that a centre is the mean of, where it is not that of the first window.
SAMPLES = 32

#: Rows of `Room.marks`: whether some window is partial, how many are doubtful, whether some is
#: far, and where all moments are wanted: the largest offset, that is the squared distance of a
#: window's mean from the centre, times frames, over its squared norm; the largest and the smallest
#: squared norm; and the largest sum of squares about the centre.
#: And room to find missing frames.
IS_PARTIAL, IS_DOUBTFUL, IS_FAR, OFFSET, LARGEST, SMALLEST, MOST, LOST = range(8)
OWN_ROWS = 8


class Panel(NamedTuple):
    """One person's stretch of a window, in a block: frames = width + shifts - 1, d coordinates.

    The fields are the parts, rows of n signals each, one after the other (`rows_of`).
    """

    values: Any
    """Differences from the centre, 0 where missing (frames * d)."""
    inverse: Any
    """One over the norm about the window's own mean, NaN where undefined (shifts)."""
    sums: Any
    """Of the values of a window (shifts * d)."""
    squares: Any
    """Sums of their squares, NaN where the window is still (shifts)."""
    counts: Any
    """Valid frames (shifts)."""
    least: Any
    """What missing frames must leave of the squared norm (shifts)."""
    energies: Any
    """Squares of each frame, over the coordinates (frames)."""
    missing: Any
    """1 where a frame is missing from a partial signal (frames)."""
    means: Any
    """Of the values of a window without missing frames (shifts * d)."""


class Room(NamedTuple):
    """What a thread works with: both persons' panels, x's signals first, then y's."""

    single: SingleArray
    """The panels in float32, n columns; and room for what a tile cannot keep in registers."""
    double: FloatArray
    """The same in float64."""
    marks: FloatArray
    """See `IS_PARTIAL` and the following; then centres, their rests, and sums, d rows each."""
    lists: IntArray
    """For each tile of x, then of y: the frames that some of its signals misses, and how many of
    these come before each frame (tiles, 2 * frames + 1)."""


def new_room(geometry: Geometry, d: int, padded: tuple[int, int]) -> Room:
    """Return room for panels of whole tiles of signals; all 0."""
    n = sum(padded)
    n += 16 if n % 32 == 0 else 0  # rows that share few of the cache's lines push each other out
    frames = geometry.window + geometry.shifts - 1
    rows = (
        frames * (d + 2)
        + geometry.shifts * (2 * d + 4)
        + -(-(2 * d + geometry.shifts) * ROWS * COLUMNS // n)
    )
    return Room(
        aligned(rows, n, np.float32),
        aligned(rows, n, np.float64),
        np.zeros((OWN_ROWS + 3 * d, n)),
        np.zeros((padded[0] // ROWS + padded[1] // COLUMNS, 2 * frames + 1), dtype=np.int64),
    )


def aligned(rows: int, n: int, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a matrix of 0 that begins where a vector register's worth of memory does."""
    raw = np.zeros(rows * n + 16, dtype=dtype)
    first = -raw.ctypes.data % 64 // raw.itemsize
    return raw[first : first + rows * n].reshape(rows, n)


def panel_of(e: Emitter, block: Any, n: Any, corner: Any, sizes: Any) -> tuple[Panel, Any]:
    """Return where the parts of a person's panel begin, and where the block's last part does.

    sizes = (width, shifts, d), of the block.
    """
    width, shifts, d = sizes
    frames = e.builder.sub(e.add(width, shifts), e.whole(1))
    by_frame, by_shift = e.mul(frames, d), e.mul(shifts, d)
    row, parts = e.whole(0), []
    for rows in (
        by_frame, shifts, by_shift, shifts, shifts, shifts, frames, frames, by_shift,
    ):  # fmt: skip
        parts.append(e.builder.gep(block, [e.add(e.mul(row, n), corner)]))
        row = e.add(row, rows)
    return Panel(*parts), e.builder.gep(block, [e.mul(row, n)])


@intrinsic
def fill(typing, kinds, data, block, marks, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill the values and the moments of a `Panel`; return what was found.

    kinds = (registers, STAYING or MOVING), told by their types; data (frames, d, signals); block
    and marks as in `Room`. at = (first frame, first column, columns, column in the block, width,
    shifts of the block, d, shifts, need, every, whether all moments are wanted, limit of the
    offset). Every so many frames of the stretch are averaged for the centre; if 0, it is the mean
    of the first window, to all digits.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        def write(inner: Any, values: Any) -> Any:
            return _Fill(context, inner, signature.args, values).emit()

        return apart(builder, args, f"fill {signature}", write, ir.IntType(64))

    return types.int64(kinds, data, block, marks, at), codegen


class _Fill(Emitter):
    """The recipe of `fill`."""

    def __init__(self, context: Any, builder: Any, kinds: Any, args: Any) -> None:
        registers, motion = kinds[0]
        super().__init__(context, builder, types.float64, registers.count == len(WIDE))
        self.moving = motion.count == len(MOVING)
        self.single = kinds[2].dtype == types.float32
        self.source, self.stride = self.data(kinds[1], args[1])
        block, self.n = self.data(kinds[2], args[2])
        marks, _ = self.data(kinds[3], args[3])
        (
            self.first, self.column, self.columns, corner, self.width, all_shifts, self.d,
            self.shifts, need, self.hop, wanted, limit,
        ) = cgutils.unpack_tuple(builder, args[4])  # fmt: skip
        sizes = self.width, all_shifts, self.d
        self.panel, _ = panel_of(self, block, self.n, corner, sizes)
        self.marks = builder.gep(marks, [corner])
        self.work = builder.gep(self.marks, [self.mul(self.whole(OWN_ROWS), self.n)])
        self.need, self.limit = self.number(need), self.spread(limit)
        self.wanted = builder.icmp_signed("!=", wanted, self.whole(0))
        self.more = builder.sub(self.shifts, self.whole(1))
        self.frames = self.add(self.width, self.more)
        self.found = cgutils.alloca_once_value(builder, self.whole(0))
        self.zero, self.one = self.constant(0.0), self.constant(1.0)
        if self.moving:
            self.share = builder.fdiv(self.one, self.number(self.width))

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
        marks = self.zeros(MOST + 1)
        self.put(marks[SMALLEST], self.constant(HUGE))
        with self.loop(self.shifts) as f:
            self.window(f, j, (square, count, share), floor, marks)
            with b.if_then(b.icmp_signed("<", f, self.more)):
                self.slide(f, j, factor, square, count, share)
        for k, slot in enumerate(marks):
            self.store(self.get(slot), self.marks, self.place(self.whole(k), j))
        with b.if_then(self.wanted):
            self.frame_by_frame(j, b.fcmp_ordered(">", self.get(marks[IS_PARTIAL]), self.zero))
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
        with self.loop(b.select(own, self.frames, b.sdiv(self.frames, hop))) as k:
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

        with self.loop(self.frames) as k:
            self.increase(along, add(k))
        rest = self.or_zero(b.and_(some, self.every(own)), b.fdiv(self.get(along), self.get(count)))
        self.add_to(magnitude, mean, mean)
        self.store(mean, self.work, self.place(c, j))
        self.store(rest, self.work, self.place(self.add(self.d, c), j))

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
        self.store(self.get(along), self.work, self.place_of_sum(c, j))

    def window(self, f: Any, j: Any, sums: Any, floor: Any, marks: list[Any]) -> None:
        """Turn sums into the norm of one window, and where wanted into its other moments."""
        b, panel = self.builder, self.panel
        total, number, share = (self.get(slot) for slot in sums)
        (between,) = self.zeros(1)
        with self.loop(self.d) as c:
            way = self.load(self.work, self.place_of_sum(c, j))
            self.add_to(between, way, b.fmul(way, share))
            with b.if_then(self.wanted):
                self.store(way, panel.sums, self.place(self.row(f, c), j))
                if self.moving:
                    self.store(b.fmul(way, self.share), panel.means, self.place(self.row(f, c), j))
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
            self.store(number, panel.counts, place)
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
            along = self.load(self.work, place)
            self.add_to(square, change, b.fadd(new, old))
            self.store(b.fadd(along, change), self.work, place)
            self.put(more, b.fsub(self.or_zero(in_new, self.one), self.or_zero(in_old, self.one)))
        with b.if_then(self.some(b.fcmp_unordered("!=", self.get(more), self.zero))):
            self.increase(count, self.get(more))
            self.put(share, b.fdiv(self.one, self.get(count)))

    def frame_by_frame(self, j: Any, partial: Any) -> None:
        """Write what missing frames are taken out with: energies, and where partial ones miss."""
        with self.loop(self.frames) as k:
            (energy,) = self.zeros(1)
            with self.loop(self.d) as c:
                away = self.load(self.panel.values, self.place(self.row(k, c), j))
                self.add_to(energy, away, away)
            place = self.place(k, j)
            self.store(self.get(energy), self.panel.energies, place)
            _, good = self.value(k, self.whole(0), j)
            gone = self.builder.and_(partial, self.builder.not_(good))
            self.store(self.or_zero(gone, self.one), self.panel.missing, place)

    def value(self, k: Any, c: Any, j: Any) -> tuple[Any, Any]:
        """Return the values of a frame's coordinate, and where they are there."""
        row = self.row(self.add(self.first, k), c)
        place = self.add(self.mul(row, self.stride), self.add(self.column, j))
        value = self.load(self.source, place)
        return value, self.builder.fcmp_ordered("ord", value, value)

    def centre_of(self, c: Any, j: Any) -> tuple[Any, Any]:
        """Return the centre of a coordinate, and what rounding took from it."""
        rows = c, self.add(self.d, c)
        mean, rest = (self.load(self.work, self.place(row, j)) for row in rows)
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
