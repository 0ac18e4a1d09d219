"""Sums over frames and over windows, in vectors of signals.

As in `tiles`, the vectors are written out: loops over so many arrays are beyond what the compiler
vectorises by itself.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter

#: A window that slid down to this share of the largest sum of squares on the way is done anew:
#: sums that slide keep rounding errors relative to the largest.
ANEW = 1e-6


#: Windows whose numbers, magnitudes and lags are added up in float32 before these sums are added up
#: in float64; few enough for seven digits.
GROUP = 8


@intrinsic
def moments(typing, registers, data, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Mean, squared differences from it, and number of the valid frames of one window.

    data (rows, n); out = (mean (d, n), rest (d, n), squares (n,), count (n,)): the mean is the sum
    of `mean` and `rest`, which holds what rounding took; at = (first row, d, frames).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, data.dtype, registers.count == len(WIDE))
        _emit_moments(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, data, out, at), codegen


def _emit_moments(e: Emitter, kinds: Any, args: Any) -> None:
    builder = e.builder
    data, n = e.data(kinds[0], args[0])
    out = cgutils.unpack_tuple(builder, args[1])
    mean, rest, squares, count = (e.data(kinds[1].types[k], out[k])[0] for k in range(4))
    first, d, frames = cgutils.unpack_tuple(builder, args[2])
    zero, one = e.constant(0.0), e.constant(1.0)
    hop = e.mul(d, n)
    with e.loop(builder.sdiv(n, e.whole(e.lanes))) as number:
        j = e.mul(number, e.whole(e.lanes))
        square = e.variable(zero)
        with e.loop(d) as c:
            corner = e.add(e.mul(e.add(first, c), n), j)
            total, valid = e.variable(zero), e.variable(zero)
            with e.loop(frames) as k:
                value = e.load(data, e.add(corner, e.mul(k, hop)))
                good = builder.fcmp_ordered("ord", value, value)
                e.put(total, builder.fadd(e.get(total), builder.select(good, value, zero)))
                e.put(valid, builder.fadd(e.get(valid), builder.select(good, one, zero)))
            middle = builder.fdiv(e.get(total), e.get(valid))
            e.put(total, zero)
            with e.loop(frames) as k:
                value = e.load(data, e.add(corner, e.mul(k, hop)))
                good = builder.fcmp_ordered("ord", value, value)
                value = builder.select(good, builder.fsub(value, middle), zero)
                e.add_to(square, value, value)
                e.put(total, builder.fadd(e.get(total), value))
            left = builder.fdiv(e.get(total), e.get(valid))
            e.store(left, rest, e.add(e.mul(c, n), j))
            e.store(middle, mean, e.add(e.mul(c, n), j))
            e.store(e.get(valid), count, j)
        e.store(e.get(square), squares, j)


@intrinsic
def slide(typing, registers, data, state, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Do as `moments` from the sums of the window one frame before.

    state = (centre (d, n), sums (d, n), energy, count, largest energy so far, (n,)), of differences
    from the centre; at = (first row, d, frames, need). Returns whether some signal with as many
    valid frames as it needs may be inaccurate, its squares being a small rest of what they were.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, data.dtype, registers.count == len(WIDE))
        return _emit_slide(e, signature.args[1:], args[1:])

    return types.boolean(registers, data, state, out, at), codegen


def _emit_slide(e: Emitter, kinds: Any, args: Any) -> Any:
    builder = e.builder
    doubts = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 0))
    data, n = e.data(kinds[0], args[0])
    centre, sums, energy, valid, most = (a for a, _ in e.tuple_data(kinds[1], args[1]))
    mean, rest, squares, count = (a for a, _ in e.tuple_data(kinds[2], args[2]))
    first, d, frames, need = cgutils.unpack_tuple(builder, args[3])
    needed = e.spread(builder.sitofp(need, e.real))
    zero, one = e.constant(0.0), e.constant(1.0)
    enters, leaves = e.add(first, e.mul(builder.sub(frames, e.whole(1)), d)), builder.sub(first, d)
    with e.loop(builder.sdiv(n, e.whole(e.lanes))) as number:
        j = e.mul(number, e.whole(e.lanes))
        number_valid = e.variable(e.load(valid, j))
        for row, change in ((enters, builder.fadd), (leaves, builder.fsub)):
            value = e.load(data, e.add(e.mul(row, n), j))
            good = builder.select(builder.fcmp_ordered("ord", value, value), one, zero)
            e.put(number_valid, change(e.get(number_valid), good))
        total, between = e.variable(e.load(energy, j)), e.variable(zero)
        with e.loop(d) as c:
            place = e.add(e.mul(c, n), j)
            middle = e.load(centre, place)
            differences = []
            for row in (enters, leaves):
                value = e.load(data, e.add(e.mul(e.add(row, c), n), j))
                good = builder.fcmp_ordered("ord", value, value)
                differences.append(builder.select(good, builder.fsub(value, middle), zero))
            new, old = differences
            change = builder.fsub(new, old)
            e.add_to(total, change, builder.fadd(new, old))
            along = builder.fadd(e.load(sums, place), change)
            away = builder.fdiv(along, e.get(number_valid))
            e.add_to(between, along, away)
            average = builder.fadd(middle, away)
            e.store(along, sums, place)
            e.store(average, mean, place)
            e.store(builder.fadd(builder.fsub(middle, average), away), rest, place)
        largest = e.load(most, j)
        more = builder.fcmp_ordered(">", e.get(total), largest)
        largest = builder.select(more, e.get(total), largest)
        left = builder.fsub(e.get(total), e.get(between))
        e.store(largest, most, j)
        e.store(e.get(total), energy, j)
        e.store(left, squares, j)
        for target in (valid, count):
            e.store(e.get(number_valid), target, j)
        doubtful = builder.and_(
            builder.not_(builder.fcmp_ordered(">", left, builder.fmul(e.constant(ANEW), largest))),
            builder.fcmp_ordered(">=", e.get(number_valid), needed),
        )
        bits = ir.IntType(e.lanes)
        some = builder.icmp_unsigned("!=", builder.bitcast(doubtful, bits), ir.Constant(bits, 0))
        builder.store(builder.or_(builder.load(doubts), some), doubts)
    return builder.load(doubts)


@intrinsic
def add_windows(typing, registers, r, lag, sums):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Add the defined correlations of some windows to sums, (5, n1, n2).

    r, lag (windows, n1, n2); the sums are count, and of r, its magnitude, its square, and lags.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, sums.dtype, registers.count == len(WIDE))
        _emit_add_windows(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, r, lag, sums), codegen


def _emit_add_windows(e: Emitter, kinds: Any, args: Any) -> None:
    builder = e.builder
    (r, _), (lag, _), (sums, _) = (e.data(kinds[k], args[k]) for k in range(3))
    windows, size = _shape(e, kinds[0], args[0])
    short = Emitter(e.context, builder, types.float32, e.wide)
    group = e.whole(GROUP)
    with e.loop(builder.sdiv(size, e.whole(short.lanes))) as number:
        first = e.mul(number, e.whole(short.lanes))
        places = [e.add(e.mul(e.whole(k), size), first) for k in range(5)]
        # r and its square need all digits: their variance is a small difference.
        long = {k: [e.variable(_load_half(e, sums, places[k], h)) for h in (0, 1)] for k in (1, 3)}
        with e.loop(builder.sdiv(e.add(windows, e.whole(GROUP - 1)), group)) as some:
            begin = e.mul(some, group)
            left = builder.sub(windows, begin)
            count = builder.select(builder.icmp_signed("<", left, group), left, group)
            totals = {k: short.variable(short.constant(0.0)) for k in (0, 2, 4)}
            with e.loop(count) as w:
                place = e.add(e.mul(e.add(begin, w), size), first)
                _add_window(e, short, (r, lag), place, (totals, long))
            for k, total in totals.items():
                for h in (0, 1):
                    value = builder.fadd(
                        _load_half(e, sums, places[k], h), e.half(short.get(total), h)
                    )
                    e.store(value, sums, e.add(places[k], e.whole(h * e.lanes)))
        for k, slots in long.items():
            for h, slot in enumerate(slots):
                e.store(e.get(slot), sums, e.add(places[k], e.whole(h * e.lanes)))


def _load_half(e: Emitter, pointer: Any, place: Any, half: int) -> Any:
    """Load the float64 that belong to one half of a vector of float32."""
    return e.load(pointer, e.add(place, e.whole(half * e.lanes)))


def _add_window(e: Emitter, short: Emitter, arrays: Any, place: Any, sums: Any) -> None:
    """Add count, r, its magnitude, its square and lags of one window where r is defined."""
    builder = e.builder
    totals, long = sums
    value, where = (short.load(array, place) for array in arrays)
    good = builder.fcmp_ordered("ord", value, value)
    for k, addend in ((0, short.constant(1.0)), (2, short.absolute(value)), (4, where)):
        short.keep(good, totals[k], builder.fadd(short.get(totals[k]), addend))
    value = builder.select(good, value, short.constant(0.0))
    for h in (0, 1):
        r = e.half(value, h)
        e.put(long[1][h], builder.fadd(e.get(long[1][h]), r))
        e.add_to(long[3][h], r, r)


@intrinsic
def multiply_windows(typing, registers, r, products, limit):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Multiply products, (3, n1, n2), by 1 + r, 1 - r and 1 + |r| of some windows where defined.

    r (windows, n1, n2) is first limited to +-limit.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, products.dtype, registers.count == len(WIDE))
        _emit_multiply_windows(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, r, products, limit), codegen


def _emit_multiply_windows(e: Emitter, kinds: Any, args: Any) -> None:
    builder = e.builder
    (r, _), (products, _) = (e.data(kinds[k], args[k]) for k in range(2))
    windows, size = _shape(e, kinds[0], args[0])
    zero, one, most = e.constant(0.0), e.constant(1.0), e.spread(args[2])
    with e.loop(builder.sdiv(size, e.whole(e.lanes))) as number:
        first = e.mul(number, e.whole(e.lanes))
        places = [e.add(e.mul(e.whole(k), size), first) for k in range(3)]
        totals = [e.variable(e.load(products, place)) for place in places]
        with e.loop(windows) as w:
            value = _load_single(e, r, e.add(e.mul(w, size), first))
            value = builder.select(builder.fcmp_ordered("ord", value, value), value, zero)
            for sign, limit in ((">", most), ("<", e.negative(most))):
                value = builder.select(builder.fcmp_ordered(sign, value, limit), limit, value)
            for slot, factor in zip(
                totals,
                (builder.fadd(one, value), builder.fsub(one, value),
                 builder.fadd(one, e.absolute(value))),
                strict=True,
            ):  # fmt: skip
                e.put(slot, builder.fmul(e.get(slot), factor))
        for slot, place in zip(totals, places, strict=True):
            e.store(e.get(slot), products, place)


def _shape(e: Emitter, kind: Any, array: Any) -> tuple[Any, Any]:
    """Return the number of windows and that of pairs."""
    struct = e.context.make_array(kind)(e.context, e.builder, array)
    windows, n1, n2 = cgutils.unpack_tuple(e.builder, struct.shape)
    return windows, e.mul(n1, n2)


def _load_single(e: Emitter, pointer: Any, place: Any) -> Any:
    """Load single-precision numbers into a vector of double precision."""
    single = ir.VectorType(ir.FloatType(), e.lanes)
    address = e.builder.bitcast(e.builder.gep(pointer, [place]), single.as_pointer())
    return e.builder.fpext(e.builder.load(address, align=4), e.vector)
