"""Vector code for matched pairs: signal i of x with signal i of y, in float64.

Here a vector holds consecutive pairs, so that nothing is computed for pairs nobody asked for.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter

#: The share of a window's variance that gaps must leave, else the pair is marked to be redone.
ENOUGH = 1e-3

#: What r is set to where it must be redone exactly.
REDO = 3.0


@intrinsic
def matched(typing, registers, x, y, tables, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for all matched pairs of one window.

    x = (values, present), normalised and 0 where missing (terms, n), and (frames, n) of ones and
    zeros; y = the same (rows, n), (frames, n); tables = (inverse norms (frames, n), lags' values);
    lags (lags,), to be added to the frame `begin` of y; out = (r, lag), each (n,);
    at = (begin, frames, d, need, polarity, gaps).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        Matched(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, tables, lags, out, at), codegen


class Matched:
    """One window: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        (self.x, self.n), (self.here_x, _) = e.tuple_data(kinds[0], args[0])
        (self.y, _), (self.here_y, _) = e.tuple_data(kinds[1], args[1])
        (self.inverse, _), (self.values, _) = e.tuple_data(kinds[2], args[2])
        self.lags, self.n_lags = e.data(kinds[3], args[3])
        (self.out_r, _), (self.out_lag, _) = e.tuple_data(kinds[4], args[4])
        self.begin, self.frames, self.d, need, polarity, self.gaps = cgutils.unpack_tuple(
            e.builder, args[5]
        )
        self.signless = e.builder.icmp_signed("!=", polarity, e.whole(0))
        self.need = e.spread(e.builder.sitofp(need, e.real))

    def emit(self) -> None:
        """Write the loops over pairs and lags."""
        e, b = self.e, self.e.builder
        with e.loop(b.sdiv(self.n, e.whole(e.lanes))) as number:
            j = e.mul(number, e.whole(e.lanes))
            score, best, chosen = (e.variable(e.constant(v)) for v in (-2.0, float("nan"), 0.0))
            with e.loop(self.n_lags) as q:
                start = e.add(self.begin, b.load(b.gep(self.lags, [q])))
                value = e.variable(e.constant(0.0))
                with b.if_else(b.icmp_signed("!=", self.gaps, e.whole(0))) as (gaps, complete):
                    with gaps:
                        e.put(value, self.with_gaps(start, j))
                    with complete:
                        e.put(value, self.complete(start, j))
                r = e.get(value)
                marked = b.fcmp_ordered(">", r, e.constant(2.0))
                clipped = e.clipped(r)
                r = b.select(marked, r, clipped)
                new = b.select(b.or_(e.every(self.signless), marked), e.absolute(r), r)
                better = b.fcmp_ordered(">", new, e.get(score))
                for slot, item in ((score, new), (best, r), (chosen, e.copy_of(self.values, q))):
                    e.keep(better, slot, item)
            e.store(e.get(best), self.out_r, j)
            e.store(e.get(chosen), self.out_lag, j)

    def complete(self, start: Any, j: Any) -> Any:
        """Return r where no frame is missing, or a signal is undefined."""
        e, b = self.e, self.e.builder
        total = e.variable(e.constant(0.0))
        corner = e.add(e.mul(e.mul(start, self.d), self.n), j)
        with e.loop(e.mul(self.frames, self.d)) as k:
            row = e.mul(k, self.n)
            e.add_to(total, e.load(self.x, e.add(row, j)), e.load(self.y, e.add(row, corner)))
        return b.fmul(e.get(total), e.load(self.inverse, e.add(e.mul(start, self.n), j)))

    def with_gaps(self, start: Any, j: Any) -> Any:
        """Return r over the frames that neither misses; `REDO` where that is not accurate."""
        e, b = self.e, self.e.builder
        zero, one = e.constant(0.0), e.constant(1.0)
        count, xx, yy, xy = (e.variable(zero) for _ in range(4))
        sum_xy, sum_xx, sum_yy = (e.variable(zero) for _ in range(3))
        inverse = e.load(self.inverse, e.add(e.mul(start, self.n), j))
        with e.loop(self.d) as c:
            sum_x, sum_y = e.variable(zero), e.variable(zero)
            e.put(count, zero)
            with e.loop(self.frames) as k:
                frame = e.add(start, k)
                x = e.load(self.x, e.add(e.mul(e.add(e.mul(k, self.d), c), self.n), j))
                y = e.load(self.y, e.add(e.mul(e.add(e.mul(frame, self.d), c), self.n), j))
                here = b.fmul(
                    e.load(self.here_x, e.add(e.mul(k, self.n), j)),
                    e.load(self.here_y, e.add(e.mul(frame, self.n), j)),
                )
                x, y = b.fmul(x, here), b.fmul(b.fmul(y, inverse), here)
                e.put(count, b.fadd(e.get(count), here))
                e.put(sum_x, b.fadd(e.get(sum_x), x))
                e.put(sum_y, b.fadd(e.get(sum_y), y))
                for slot, first, second in ((xx, x, x), (yy, y, y), (xy, x, y)):
                    e.add_to(slot, first, second)
            x, y = e.get(sum_x), e.get(sum_y)
            for slot, first, second in ((sum_xx, x, x), (sum_yy, y, y), (sum_xy, x, y)):
                e.add_to(slot, first, second)
        share = b.fdiv(one, e.get(count))
        covariance, var_x, var_y = (
            e.multiply_subtract(e.get(total), share, e.get(whole))
            for total, whole in ((sum_xy, xy), (sum_xx, xx), (sum_yy, yy))
        )
        r = b.fdiv(covariance, e.root(b.fmul(var_x, var_y)))
        enough = e.constant(ENOUGH)
        small = b.or_(b.fcmp_ordered("<", var_x, enough), b.fcmp_ordered("<", var_y, enough))
        r = b.select(small, e.constant(REDO), r)
        counted = b.fcmp_ordered(">=", e.get(count), self.need)
        return b.select(counted, r, e.constant(float("nan")))
