"""Sums over the windows that start at one place after another, in vectors: a register of places.

Written out as LLVM vectors, like the tiles of the engine: each place is one lane, every lane goes
through the same steps in the same order, so that windows that hold the same values give the same
bits wherever they lie. Arrays are read beyond what is asked for, by up to `PAD` numbers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.definition import ENOUGH_DOUBLE, STILL
from bitbox.correlation.geometry import WIDE
from bitbox.correlation.vectors import Emitter

#: Vectors that are summed at once, each in two parts: ten accumulators, which fit any registers.
_PARTS = 5
#: How far arrays are read, or written, beyond what is asked for.
PAD = 64


class _Filter(Emitter):
    """Vectors of float64, and what recipes here have in common."""

    def __init__(self, context: Any, builder: Any, registers: Any) -> None:
        super().__init__(context, builder, types.float64, registers.count == len(WIDE))
        self.zero, self.one, self.nan = (self.constant(v) for v in (0.0, 1.0, float("nan")))

    def vectors(self, n: Any) -> Any:
        """Return how many vectors hold n numbers."""
        return self.builder.sdiv(self.add(n, self.whole(self.lanes - 1)), self.whole(self.lanes))

    def increase(self, slot: Any, value: Any) -> None:
        """Add to a variable."""
        self.put(slot, self.builder.fadd(self.get(slot), value))

    def decrease(self, slot: Any, value: Any) -> None:
        """Subtract from a variable."""
        self.put(slot, self.builder.fsub(self.get(slot), value))

    def total(self, where: Any) -> Any:
        """Return whether a condition holds anywhere."""
        bits = ir.IntType(self.lanes)
        return self.builder.icmp_unsigned(
            "!=", self.builder.bitcast(where, bits), ir.Constant(bits, 0)
        )


@intrinsic
def describe(typing, registers, signal, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill counts, norms and means of all windows of a signal (d, frames).

    out : (2 + d, places): the frames that are there; the root of the summed squares about the
    mean, NaN where too few are there or nothing moves; and the means. at = (d, places, frames of a
    window, frames that must be there).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = _Filter(context, builder, signature.args[0])
        source, length = e.data(signature.args[1], args[1])
        place, columns = e.data(signature.args[2], args[2])
        d, places, width, need = cgutils.unpack_tuple(builder, args[3])
        with e.loop(e.vectors(places)) as number:
            p = e.mul(number, e.whole(e.lanes))
            _describe(e, (source, length, p), (place, columns), (d, width, need))
        return context.get_dummy_value()

    return types.void(registers, signal, out, at), codegen


def _describe(e: _Filter, source: Any, out: Any, sizes: Any) -> None:
    b, (signal, length, p), (place, columns), (d, width, need) = e.builder, source, out, sizes
    count, widest, largest, square = (e.variable(e.zero) for _ in range(4))

    def each(row: Any, then: Any) -> None:
        """Go through the frames of a window: their values, and where they are there."""
        with e.loop(width) as k:
            value = e.load(signal, e.add(row, k))
            then(value, b.fcmp_ordered("ord", value, value))

    with e.loop(d) as c:
        row = e.add(e.mul(c, length), p)
        low, high = e.variable(e.constant(float("inf"))), e.variable(e.constant(float("-inf")))
        total, along = e.variable(e.zero), e.variable(e.zero)
        e.put(count, e.zero)

        def extremes(value: Any, there: Any, low: Any = low, high: Any = high) -> None:
            e.keep(b.fcmp_ordered("<", value, e.get(low)), low, value)
            e.keep(b.fcmp_ordered(">", value, e.get(high)), high, value)
            e.increase(count, b.select(there, e.one, e.zero))

        each(row, extremes)
        # from a value inside the window, so that an offset costs no digits
        start = e.get(low)

        def add(value: Any, there: Any, total: Any = total, start: Any = start) -> None:
            e.increase(total, b.select(there, b.fsub(value, start), e.zero))

        each(row, add)
        middle = b.fdiv(e.get(total), e.get(count))

        def deviate(
            value: Any, there: Any, along: Any = along, start: Any = start, middle: Any = middle
        ) -> None:
            away = b.select(there, b.fsub(b.fsub(value, start), middle), e.zero)
            e.add_to(along, away, away)

        each(row, deviate)
        e.increase(square, e.get(along))
        away = b.fsub(e.get(high), start)
        e.keep(b.fcmp_ordered(">", away, e.get(widest)), widest, away)
        for value in (start, e.get(high)):
            size = e.absolute(value)
            e.keep(b.fcmp_ordered(">", size, e.get(largest)), largest, size)
        mean = b.fadd(start, middle)
        known = b.fcmp_ordered(">", e.get(count), e.zero)
        at = e.add(e.mul(e.add(c, e.whole(2)), columns), p)
        e.store(b.select(known, mean, e.zero), place, at)
    moves = b.fcmp_ordered(">", e.get(widest), b.fmul(e.constant(STILL), e.get(largest)))
    moves = b.and_(moves, b.fcmp_ordered(">", e.get(square), e.zero))
    good = b.and_(moves, b.fcmp_ordered(">=", e.get(count), e.number(need)))
    e.store(e.get(count), place, p)
    e.store(b.select(good, e.root(e.get(square)), e.nan), place, e.add(columns, p))


@intrinsic
def products(typing, registers, unit, values, norms, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill out[p] with the summed products of a window of x and y's window at place first + p.

    unit (d, W), values (d, frames), norms (places,): what sums are multiplied with; at = (first,
    places, d, whether to multiply: else the sums themselves are wanted). Also at the end of out,
    as far as the vectors reach.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e, kinds = _Filter(context, builder, signature.args[0]), signature.args
        x, y, factors, place = (e.data(kinds[k], args[k]) for k in (1, 2, 3, 4))
        first, n, d, scaled = cgutils.unpack_tuple(builder, args[5])
        block = e.whole(_PARTS * e.lanes)
        last = builder.sub(n, block)
        last = builder.select(builder.icmp_signed("<", last, e.whole(0)), e.whole(0), last)
        with e.loop(builder.sdiv(builder.sub(e.add(n, block), e.whole(1)), block)) as number:
            p = e.mul(number, block)  # the last ones overlap with those before them
            p = builder.select(builder.icmp_signed(">", p, last), last, p)
            from_ = e.add(first, p)
            sums = _products(e, x, (y[0], y[1], from_), d)
            for part, value in enumerate(sums):
                offset = e.whole(part * e.lanes)
                norm = e.load(factors[0], e.add(from_, offset))
                r = e.clipped(builder.fmul(value, norm))
                wanted = builder.icmp_signed("!=", scaled, e.whole(0))
                e.store(builder.select(wanted, r, value), place[0], e.add(p, offset))
        return context.get_dummy_value()

    return types.void(registers, unit, values, norms, out, at), codegen


def _products(e: _Filter, x: Any, y: Any, d: Any) -> list[Any]:
    """Return the sums of a few vectors; even and odd frames are summed apart."""
    b, (unit, width), (values, length, first) = e.builder, x, y
    sums = [[e.variable(e.zero) for _ in range(_PARTS)] for _ in range(2)]
    with e.loop(d) as c:
        row, start = e.mul(c, width), e.add(e.mul(c, length), first)

        def step(k: Any, which: int, row: Any = row, start: Any = start) -> None:
            factor = e.copy_of(unit, e.add(row, k))
            for part, slot in enumerate(sums[which]):
                place = e.add(e.add(start, k), e.whole(part * e.lanes))
                e.add_to(slot, factor, e.load(values, place))

        with e.loop(b.sdiv(width, e.whole(2))) as half:
            k = e.mul(half, e.whole(2))
            step(k, 0)
            step(e.add(k, e.whole(1)), 1)
        with b.if_then(b.icmp_signed("!=", b.srem(width, e.whole(2)), e.whole(0))):
            step(b.sub(width, e.whole(1)), 0)
    return [b.fadd(e.get(even), e.get(odd)) for even, odd in zip(*sums, strict=True)]


@intrinsic
def less_missing(typing, registers, x, y, room, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Turn summed products of the frames that both have into r times its magnitude.

    Every other sum is the one over the whole window, less the few frames that the other misses.
    x = (sums of u and of its squares over the window (d + 1,), the frames it misses); y = (values
    (d, frames), present, squares (frames,), norms (places,), sums over windows (d + 2, places),
    frames that are missing, how many come before each frame); room (d + 1, W + 2 PAD): u, and its
    squares, backwards, 0 beyond; at = (first, places, d, W, frames needed, frames that x misses).
    Infinite: too little is left, it must be done exactly. Returns how often.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = _Filter(context, builder, signature.args[0])
        return _LessMissing(e, signature.args, args).emit()

    return types.int64(registers, x, y, room, out, at), codegen


class _LessMissing:
    """The recipe of `less_missing`."""

    def __init__(self, e: _Filter, kinds: Any, args: Any) -> None:
        self.e = e
        (self.whole_x, _), (self.gone_x, _) = e.tuple_data(kinds[1], args[1])
        y = e.tuple_data(kinds[2], args[2])
        self.values, self.length = y[0]
        self.present, self.squares, self.norms = (a for a, _ in y[1:4])
        self.totals, self.places = y[4]
        self.gone_y, self.before = y[5][0], y[6][0]
        self.room, self.row = e.data(kinds[3], args[3])
        self.out, _ = e.data(kinds[4], args[4])
        at = cgutils.unpack_tuple(e.builder, args[5])
        self.first, self.n, self.d, self.width, need, self.lost = at
        self.need = e.number(need)

    def emit(self) -> Any:
        """Write it."""
        e, b = self.e, self.e.builder
        found = cgutils.alloca_once_value(b, e.whole(0))
        with e.loop(e.vectors(self.n)) as number:
            p = e.mul(number, e.whole(e.lanes))
            value, odd = self.vector(p, e.add(self.first, p))
            e.store(value, self.out, p)
            more = b.select(e.total(odd), e.whole(1), e.whole(0))
            b.store(b.add(b.load(found), more), found)
        return b.load(found)

    def vector(self, p: Any, place: Any) -> tuple[Any, Any]:
        """Return what a vector of places gives, and where that is infinite."""
        e, b = self.e, self.e.builder
        count, of_x, of_y = (e.variable(e.zero) for _ in range(3))
        e.put(
            count, self.less_x(self.total_of(e.add(self.d, e.whole(1)), place), self.present, place)
        )
        n = e.get(count)
        e.put(of_x, b.fmul(self.less_y(self.d, place), n))
        e.put(of_y, b.fmul(self.less_x(self.total_of(self.d, place), self.squares, place), n))
        product = e.variable(b.fmul(e.load(self.out, p), n))
        with e.loop(self.d) as c:
            x_sum = self.less_y(c, place)
            values = b.gep(self.values, [e.mul(c, self.length)])
            y_sum = self.less_x(self.total_of(c, place), values, place)
            for slot, one, other in (
                (of_x, x_sum, x_sum), (of_y, y_sum, y_sum), (product, x_sum, y_sum),
            ):  # fmt: skip
                e.subtract_from(slot, one, other)
        return self.ratio(n, (e.get(product), e.get(of_x), e.get(of_y)), e.load(self.norms, place))

    def ratio(self, n: Any, sums: Any, norm: Any) -> tuple[Any, Any]:
        """Return r times its magnitude, NaN where undefined, and where it must be done exactly."""
        e, b = self.e, self.e.builder
        product, of_x, of_y = sums
        r = b.fdiv(b.fmul(product, e.absolute(product)), b.fmul(of_x, of_y))
        least = b.fmul(e.constant(ENOUGH_DOUBLE), n)
        size = b.fmul(b.fmul(of_y, norm), norm)
        odd = b.or_(b.fcmp_ordered("<", of_x, least), b.fcmp_ordered("<", size, least))
        known = b.and_(b.fcmp_ordered("ord", norm, norm), b.fcmp_ordered(">=", n, self.need))
        odd = b.and_(odd, known)
        r = b.select(odd, e.constant(float("inf")), e.clipped(r))
        return b.select(known, r, e.nan), odd

    def total_of(self, row: Any, place: Any) -> Any:
        """Return sums over y's whole windows."""
        return self.e.load(self.totals, self.e.add(self.e.mul(row, self.places), place))

    def less_x(self, start: Any, source: Any, place: Any) -> Any:
        """Return sums over y's windows without the frames that x's window misses."""
        e = self.e
        total = e.variable(start)
        with e.loop(self.lost) as number:
            k = e.builder.load(e.builder.gep(self.gone_x, [number]))
            e.decrease(total, e.load(source, e.add(place, k)))
        return e.get(total)

    def less_y(self, row: Any, place: Any) -> Any:
        """Return sums over x's window without the frames that y's windows miss."""
        e, b = self.e, self.e.builder
        total = e.variable(e.copy_of(self.whole_x, row))
        end = e.add(place, e.add(self.width, e.whole(e.lanes - 1)))
        begin, stop = (b.load(b.gep(self.before, [t])) for t in (place, end))
        corner = e.add(e.mul(row, self.row), e.add(self.width, e.whole(PAD - 1)))
        with e.loop(b.sub(stop, begin)) as number:
            t = b.load(b.gep(self.gone_y, [e.add(begin, number)]))
            e.decrease(total, e.load(self.room, e.add(b.sub(corner, t), place)))
        return e.get(total)


@intrinsic
def largest(typing, registers, values, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Return the largest of n values from first on, NaN aside, -inf if there is none.

    at = (first, n, whether magnitudes are compared).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e, b = _Filter(context, builder, signature.args[0]), builder
        source, _ = e.data(signature.args[1], args[1])
        first, n, signless = cgutils.unpack_tuple(b, args[2])
        mask = e.sign_mask(b.icmp_signed("!=", signless, e.whole(0)))
        lane = ir.Constant(e.vector, [float(k) for k in range(e.lanes)])
        best = e.variable(e.constant(float("-inf")))
        with e.loop(e.vectors(n)) as number:
            k = e.mul(number, e.whole(e.lanes))
            value = e.masked(e.load(source, e.add(first, k)), mask)
            inside = b.fcmp_ordered("<", b.fadd(e.number(k), lane), e.number(n))
            better = b.and_(inside, b.fcmp_ordered(">", value, e.get(best)))
            e.keep(better, best, value)
        found, size = e.get(best), e.lanes
        while size > 1:
            size //= 2
            turned = [(k + size) % e.lanes for k in range(e.lanes)]
            order = ir.Constant(ir.VectorType(ir.IntType(32), e.lanes), turned)
            other = b.shuffle_vector(found, found, order)
            found = b.select(b.fcmp_ordered(">", other, found), other, found)
        return b.extract_element(found, ir.Constant(ir.IntType(32), 0))

    return types.float64(registers, values, at), codegen
