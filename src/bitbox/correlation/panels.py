"""What the register tiles need of one window: values about a centre, and norms. In vectors.

The first pass over the frames gives the centre, the second the values about it, and sums that slide
from lag to lag. As in `tiles` the vectors are written out, a register of float64 at a time; the
last one overlaps the one before, so that nothing has to be padded. Signals are the columns of
``data``, coordinate c of frame t is its row ``t * d + c``, and a missing frame is NaN in all
coordinates. In a panel it is 0.

Panels are float32 or float64: what the tiles that read them calculate in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter

#: What is found of a window, to be added up. Some signal misses frames, but not too many; is
#: doubtful: still, or too small a movement on its offset or beside a larger one, or out of the
#: range of squares; or lies too far from its centre for the panel's precision.
PARTIAL, DOUBTFUL, FAR = 1, 2, 4

#: A window whose deviation is below this share of its mean is doubtful: rounding of the mean would
#: show in the seventh digit of r.
DELICATE = 2.0**-32

#: A window that slid down to this share of the largest sum of squares on the way is doubtful: sums
#: that slide keep rounding errors relative to the largest.
ANEW = 1e-7

#: Squared norms between which float32 holds what squares there are.
SMALLEST, LARGEST = 1e-24, 1e24

#: Frames that a centre is the mean of; it need not be the mean of all.
SAMPLES = 16

#: What the inverse norm of a doubtful window is set to; norms are positive.
DOUBT = -1.0


@intrinsic
def participant(typing, registers, data, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill the panel of one window of x, each signal centred and scaled to norm 1.

    data (rows, signals); out = (panel (frames * d, n), counts (n,), flags (3, n), work (2 * d, n),
    what is of no concern here): flags tell what is PARTIAL and DOUBTFUL; a signal with too few
    frames is NaN.
    at = (first row, first column, columns, frames, d, need). Returns what was found.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return Participant(context, builder, signature.args, args).emit()

    return types.int64(registers, data, out, at), codegen


@intrinsic
def reference(typing, registers, data, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill the panel of one stretch of y, and the tables of every window in it.

    data (rows, signals); out = (panel ((frames + lags - 1) * d, n) of differences from a centre,
    inverse (lags, n) of norms, sums (lags * d, n) and squares (lags, n) of the differences, counts
    (lags, n), flags (3, n), work (2 * d, n), squared norms (lags, n), what is of no concern here).
    Flags tell what is PARTIAL and DOUBTFUL in some window, and the largest offset: squared distance
    of a window's mean from the centre, times frames, over the squared norm. The inverse norm is NaN
    where there are too few frames, and negative (`DOUBT`) where doubtful; squares and squared norms
    are NaN in the former. at = (first row, first column, columns, frames, d, need, lags, limit of
    the offset, whether sums, squares, counts and squared norms are wanted). If they are, everything
    of a signal is scaled by a power of two, so that squares are near 1 at most. Returns what was
    found.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return Reference(context, builder, signature.args, args).emit()

    return types.int64(registers, data, out, at), codegen


class Side(Emitter):
    """What both persons' panels have in common."""

    def __init__(self, context: Any, builder: Any, kinds: Any, args: Any) -> None:
        super().__init__(context, builder, types.float64, kinds[0].count == len(WIDE))
        self.single = kinds[2].types[0].dtype == types.float32
        self.source, self.stride = self.data(kinds[1], args[1])
        arrays = self.tuple_data(kinds[2], args[2])
        self.out, self.n = [a for a, _ in arrays], arrays[0][1]
        self.at = cgutils.unpack_tuple(builder, args[3])
        self.first, self.column, self.columns, self.frames, self.d, self.need = self.at[:6]
        self.found = cgutils.alloca_once_value(builder, self.whole(0))

    @contextmanager
    def signals(self) -> Iterator[Any]:
        """Write the loop over registers of signals; the context gives the first signal of each."""
        b, lanes = self.builder, self.whole(self.lanes)
        count = b.sdiv(self.add(self.columns, self.whole(self.lanes - 1)), lanes)
        last = b.sub(self.columns, lanes)
        with self.loop(count) as number:
            j = self.mul(number, lanes)
            yield b.select(b.icmp_signed(">", j, last), last, j)

    def at_row(self, row: Any, j: Any) -> Any:
        """Return the values of a row of the window."""
        place = self.mul(self.add(self.first, row), self.stride)
        return self.load(self.source, self.add(place, self.add(self.column, j)))

    def place(self, row: Any, j: Any) -> Any:
        """Return the place in an array of n columns."""
        return self.add(self.mul(row, self.n), j)

    def row(self, k: Any, c: Any) -> Any:
        """Return the row of a frame's coordinate."""
        return self.add(self.mul(k, self.d), c)

    def put_out(self, value: Any, pointer: Any, index: Any) -> None:
        """Store a vector in the panel's type."""
        if self.single:
            self.put_single(self.to_single(value), pointer, index)
        else:
            self.store(value, pointer, index)

    def to_single(self, value: Any) -> Any:
        """Return numbers in single precision."""
        return self.builder.fptrunc(value, ir.VectorType(ir.FloatType(), self.lanes))

    def put_single(self, value: Any, pointer: Any, index: Any) -> None:
        """Store a vector of single precision."""
        address = self.builder.gep(pointer, [index])
        address = self.builder.bitcast(address, value.type.as_pointer())
        self.builder.store(value, address, align=4)

    def known(self, value: Any) -> Any:
        """Return where a value is not NaN."""
        return self.builder.fcmp_ordered("ord", value, value)

    def or_zero(self, where: Any, value: Any) -> Any:
        """Return a value where a condition holds, 0 elsewhere."""
        return self.builder.select(where, value, self.constant(0.0))

    def increase(self, slot: Any, value: Any) -> None:
        """Add to a variable."""
        self.put(slot, self.builder.fadd(self.get(slot), value))

    def number(self, whole: Any) -> Any:
        """Return a vector of copies of a whole number."""
        return self.spread(self.builder.sitofp(whole, self.real))

    def zeros(self, count: int) -> list[Any]:
        """Return variables that are 0."""
        return [self.variable(self.constant(0.0)) for _ in range(count)]

    def total(self, frames: Any, c: Any, j: Any, every: Any = None) -> tuple[Any, Any]:
        """Return sum and number of the valid values of one coordinate, in some of the frames."""
        total, count = self.zeros(2)
        with self.loop(frames) as k:
            k = k if every is None else self.mul(k, every)
            value = self.at_row(self.row(k, c), j)
            good = self.known(value)
            self.increase(total, self.or_zero(good, value))
            self.increase(count, self.or_zero(good, self.constant(1.0)))
        return self.get(total), self.get(count)

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

    def judge(self, count: Any, square: Any, floor: Any, partial: Any, doubtful: Any) -> Any:
        """Note which signals of a window are partial, and which doubtful; return the latter."""
        b, one = self.builder, self.constant(1.0)
        enough = b.fcmp_ordered(">=", count, self.number(self.need))
        short = b.fcmp_ordered("<", count, self.number(self.frames))
        self.keep(b.and_(enough, short), partial, one)
        fine = b.and_(
            b.fcmp_ordered(">", square, floor),
            b.and_(
                b.fcmp_ordered(">", square, self.constant(SMALLEST)),
                b.fcmp_ordered("<", square, self.constant(LARGEST)),
            ),
        )
        doubt = b.and_(enough, b.not_(fine))
        self.keep(doubt, doubtful, one)
        return doubt

    def where_enough(self, count: Any, value: Any) -> Any:
        """Return a value, or NaN where there are too few frames."""
        enough = self.builder.fcmp_ordered(">=", count, self.number(self.need))
        return self.builder.select(enough, value, self.constant(float("nan")))


class Participant(Side):
    """The recipe of `participant`."""

    def emit(self) -> Any:
        """Write it."""
        b = self.builder
        panel, counts, flags, work, _ = self.out
        one = self.constant(1.0)
        with self.signals() as j:
            square, magnitude, partial, doubtful, valid = self.zeros(5)
            with self.loop(self.d) as c:
                total, count = self.total(self.frames, c, j)
                mean, (left,) = b.fdiv(total, count), self.zeros(1)
                with self.loop(self.frames) as k:
                    away = self.difference(self.row(k, c), j, mean)
                    self.add_to(square, away, away)
                    self.increase(left, away)
                self.put(valid, count)
                self.add_to(magnitude, mean, mean)
                self.store(mean, work, self.place(c, j))
                rest = b.fdiv(self.get(left), count)  # what rounding took from the mean
                self.store(rest, work, self.place(self.add(self.d, c), j))
            count = self.get(valid)
            floor = b.fmul(b.fmul(self.get(magnitude), count), self.constant(DELICATE**2))
            self.judge(count, self.get(square), floor, partial, doubtful)
            inverse = self.where_enough(count, b.fdiv(one, self.root(self.get(square))))
            with self.loop(self.d) as c:
                mean = self.load(work, self.place(c, j))
                rest = self.load(work, self.place(self.add(self.d, c), j))
                with self.loop(self.frames) as k:
                    row = self.row(k, c)
                    value = self.at_row(row, j)
                    away = b.fsub(b.fsub(value, mean), rest)
                    away = b.fmul(self.or_zero(self.known(value), away), inverse)
                    self.put_out(away, panel, self.place(row, j))
            self.store(count, counts, j)
            self.note(partial, self.constant(0.0), PARTIAL)
            self.note(doubtful, self.constant(0.0), DOUBTFUL)
            self.store(self.get(partial), flags, j)
            self.store(self.get(doubtful), flags, self.place(self.whole(1), j))
        return b.load(self.found)

    def difference(self, row: Any, j: Any, mean: Any) -> Any:
        """Return the difference from the mean, 0 where missing."""
        value = self.at_row(row, j)
        return self.or_zero(self.known(value), self.builder.fsub(value, mean))


class Reference(Side):
    """The recipe of `reference`."""

    def emit(self) -> Any:
        """Write it."""
        b, zero = self.builder, self.constant(0.0)
        lags, limit, tables = self.at[6], self.spread(self.at[7]), self.at[8]
        last = b.sub(lags, self.whole(1))
        wanted = b.icmp_signed("!=", tables, self.whole(0))
        with self.signals() as j:
            square, count, share, most, floor, offset, partial, doubtful = self.zeros(8)
            self.begin(j, square, count, floor)
            self.put(share, b.fdiv(self.constant(1.0), self.get(count)))
            with self.loop(lags) as f:
                sums = square, count, share, most, floor, offset
                self.window(f, j, sums, (partial, doubtful), wanted)
                with b.if_then(b.icmp_signed("<", f, last)):
                    self.slide(f, j, square, count, share)
            self.note(partial, zero, PARTIAL)
            self.note(doubtful, zero, DOUBTFUL)
            self.note(offset, limit, FAR)
            for k, slot in enumerate((partial, doubtful, offset)):
                self.store(self.get(slot), self.out[5], self.place(self.whole(k), j))
            with b.if_then(wanted):
                self.rescale(j, self.get(most))
        return b.load(self.found)

    def begin(self, j: Any, square: Any, count: Any, floor: Any) -> None:
        """Find a centre, and the sums of the first window."""
        b, work = self.builder, self.out[6]
        zero, one = self.constant(0.0), self.constant(1.0)
        stretch = self.add(self.frames, b.sub(self.at[6], self.whole(1)))
        every = self.add(b.sdiv(stretch, self.whole(SAMPLES)), self.whole(1))
        with self.loop(self.d) as c:
            total, known = self.total(b.sdiv(stretch, every), c, j, every)
            some = b.fcmp_ordered(">", known, zero)
            centre = self.or_zero(some, b.fdiv(total, known))
            (along,) = self.zeros(1)
            self.put(count, zero)
            with self.loop(self.frames) as k:
                away, good = self.difference(self.row(k, c), j, centre, keep=True)
                self.add_to(square, away, away)
                self.increase(along, away)
                self.increase(count, self.or_zero(good, one))
            self.add_to(floor, centre, b.fmul(centre, self.constant(DELICATE**2)))
            self.store(centre, work, self.place(c, j))
            self.store(self.get(along), work, self.place(self.add(self.d, c), j))
        self.put(floor, b.fmul(self.get(floor), self.number(self.frames)))

    def difference(self, row: Any, j: Any, centre: Any, *, keep: bool) -> tuple[Any, Any]:
        """Return the difference from the centre, 0 where missing, and where it is known."""
        value = self.at_row(row, j)
        good = self.known(value)
        away = self.or_zero(good, self.builder.fsub(value, centre))
        if keep:
            self.put_out(away, self.out[0], self.place(row, j))
        return away, good

    def window(self, f: Any, j: Any, sums: Any, noted: Any, wanted: Any) -> None:
        """Turn sums into the norm of one window, and where wanted into its other tables."""
        b = self.builder
        _, inverse, along, squares, counts, _, work, norms, _ = self.out
        square, count, share, most, least, offset = sums
        number, total = self.get(count), self.get(square)
        (between,) = self.zeros(1)
        with self.loop(self.d) as c:
            way = self.load(work, self.place(self.add(self.d, c), j))
            self.add_to(between, way, b.fmul(way, self.get(share)))
        self.keep(b.fcmp_ordered(">", total, self.get(most)), most, total)
        left = b.fsub(total, self.get(between))
        slid, floor = b.fmul(self.get(most), self.constant(ANEW)), self.get(least)
        floor = b.select(b.fcmp_ordered(">", slid, floor), slid, floor)
        doubt = self.judge(number, left, floor, *noted)
        squared = self.where_enough(number, b.fdiv(self.constant(1.0), left))
        away = b.fmul(self.get(between), squared)
        self.keep(b.fcmp_ordered(">", away, self.get(offset)), offset, away)
        place, norm = self.place(f, j), self.root(squared)
        self.put_out(b.select(doubt, self.constant(DOUBT), norm), inverse, place)
        with b.if_then(wanted):
            with self.loop(self.d) as c:
                way = self.load(work, self.place(self.add(self.d, c), j))
                self.put_out(way, along, self.place(self.row(f, c), j))
            self.put_out(self.where_enough(number, total), squares, place)
            self.put_out(number, counts, place)
            self.put_out(self.where_enough(number, left), norms, place)

    def rescale(self, j: Any, most: Any) -> None:
        """Multiply by the power of two below the inverse root of the largest sum of squares."""
        b, one = self.builder, self.constant(1.0)
        panel, inverse, along, squares, _, _, _, norms, _ = self.out
        bits = ir.VectorType(ir.IntType(64), self.lanes)
        exponent = ir.Constant(bits, [0x7FF0000000000000] * self.lanes)
        root = b.bitcast(self.root(b.fdiv(one, most)), bits)
        scale = b.bitcast(b.and_(root, exponent), self.vector)
        positive = b.fcmp_ordered(">", most, self.constant(0.0))
        scale = b.select(positive, scale, one)
        lags = self.at[6]
        stretch = self.add(self.frames, b.sub(lags, self.whole(1)))
        for array, rows, factor in (
            (panel, self.mul(stretch, self.d), scale),
            (along, self.mul(lags, self.d), scale),
            (squares, lags, b.fmul(scale, scale)),
            (norms, lags, b.fmul(scale, scale)),
            (inverse, lags, b.fdiv(one, scale)),
        ):
            with self.loop(rows) as row:
                self.multiply(array, self.place(row, j), factor)

    def multiply(self, array: Any, place: Any, factor: Any) -> None:
        """Multiply what is there in the panel's type; a negative mark stays."""
        b = self.builder
        kind = ir.VectorType(ir.FloatType(), self.lanes) if self.single else self.vector
        address = b.bitcast(b.gep(array, [place]), kind.as_pointer())
        value = b.load(address, align=4)
        factor = b.fptrunc(factor, kind) if self.single else factor
        b.store(b.fmul(value, factor), address, align=4)

    def slide(self, f: Any, j: Any, square: Any, count: Any, share: Any) -> None:
        """Let one frame enter the sums, and one leave."""
        b, work = self.builder, self.out[6]
        enters, one, zero = self.add(f, self.frames), self.constant(1.0), self.constant(0.0)
        (more,) = self.zeros(1)
        with self.loop(self.d) as c:
            centre = self.load(work, self.place(c, j))
            new, in_new = self.difference(self.row(enters, c), j, centre, keep=True)
            old, in_old = self.difference(self.row(f, c), j, centre, keep=False)
            change, place = b.fsub(new, old), self.place(self.add(self.d, c), j)
            self.add_to(square, change, b.fadd(new, old))
            self.store(b.fadd(self.load(work, place), change), work, place)
            self.put(more, b.fsub(self.or_zero(in_new, one), self.or_zero(in_old, one)))
        with b.if_then(self.some(b.fcmp_unordered("!=", self.get(more), zero))):
            self.increase(count, self.get(more))
            self.put(share, b.fdiv(one, self.get(count)))
