"""The register tile of coordination with missing frames, for signals of one coordinate.

Six sums slide together: of products, of each signal and of its squares over the frames that the
other has, and the number of frames that both have. All in float64, row by row to fit the registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.gap_tiles import REDO
from bitbox.correlation.tiles import ROWS, WIDE, Emitter

#: The least variance, in units of the largest window's, that rounding leaves good to 2e-6.
ENOUGH = 1e-7

NAMES = "count", "x", "y", "xx", "yy", "xy"


@intrinsic
def coordination(typing, registers, x, y, order, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among all shifts of both windows for ROWS x COLUMNS pairs with missing frames.

    x = (values, squared, present, inverse norms), the first three (frames + 1, n1), 0 where
    missing, the last (shifts, n1); y = the same (…, n2); order = (net lags, values), each (lags,);
    out = (r, lag), each (n1, n2); at = (i, j, frames of a window, shifts, need, polarity). r is
    `gap_tiles.REDO` where it would not be accurate.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.dtype.dtype, registers.count == len(WIDE))
        SlideGapTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, order, out, at), codegen


class SlideGapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        x, y = e.tuple_data(kinds[0], args[0]), e.tuple_data(kinds[1], args[1])
        self.x, self.nx, self.norm_x = [a for a, _ in x[:3]], x[0][1], x[3][0]
        self.y, self.ny, self.norm_y = [a for a, _ in y[:3]], y[0][1], y[3][0]
        (self.order, self.n_lags), (self.lags, _) = e.tuple_data(kinds[2], args[2])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[3], args[3])
        self.i, self.j, self.width, self.shifts, need, polarity = cgutils.unpack_tuple(
            e.builder, args[4]
        )
        self.need = e.spread(e.builder.sitofp(need, e.real))
        self.signless = e.every(e.builder.icmp_signed("!=", polarity, e.whole(0)))

    def emit(self) -> None:
        """Write the loop over rows."""
        e = self.e
        with e.loop(e.whole(ROWS)) as step:
            self.row(e.add(self.i, step))

    def variables(self, value: float) -> list[Any]:
        """Return a variable for every vector of the row."""
        return [self.e.variable(self.e.constant(value)) for _ in range(self.e.parts)]

    def row(self, i: Any) -> None:
        """Choose for one signal of x; what is compared is r times its magnitude."""
        e, b = self.e, self.e.builder
        score, best, chosen = (self.variables(v) for v in (-2.0, float("nan"), 0.0))
        with e.loop(self.n_lags) as q:
            net = b.load(b.gep(self.order, [q]))
            high, low = self.extremes(net, i)
            for p in range(e.parts):
                up, down = e.get(high[p]), e.negative(e.get(low[p]))
                negative = b.and_(self.signless, b.fcmp_ordered(">", down, up))
                new = b.select(negative, down, up)
                better = b.fcmp_ordered(">", new, e.get(score[p]))
                r = b.select(negative, e.get(low[p]), up)
                for slots, value in ((score, new), (best, r), (chosen, e.copy_of(self.lags, q))):
                    e.keep(better, slots[p], value)
        for p in range(e.parts):
            square = e.get(best[p])
            size = e.root(e.absolute(square))
            below = b.fcmp_ordered("<", square, e.constant(0.0))
            r = e.clipped(b.select(below, e.negative(size), size))
            redo = b.fcmp_ordered(">=", square, e.constant(REDO))
            r = b.select(redo, e.constant(REDO), r)
            place = e.add(e.mul(i, self.n_out), e.add(self.j, e.whole(p * e.lanes)))
            e.store(r, self.out_r, place)
            e.store(e.get(chosen[p]), self.out_lag, place)

    def extremes(self, net: Any, i: Any) -> tuple[list[Any], list[Any]]:
        """Return the highest and lowest of one net lag, over all common shifts."""
        e, b = self.e, self.e.builder
        zero = e.whole(0)
        negative = b.icmp_signed("<", net, zero)
        begin = b.select(negative, b.sub(zero, net), zero)
        count = b.sub(self.shifts, b.select(negative, begin, net))
        sums = {name: self.variables(0.0) for name in NAMES}
        with e.loop(self.width) as k:
            frame = e.add(begin, k)
            self.change(sums, e.add_to, frame, e.add(frame, net), i)
        high, low = self.variables(-2.0), self.variables(2.0)
        with e.loop(count) as step:
            shift = e.add(begin, step)
            other = e.add(shift, net)
            self.correlate(sums, shift, other, i, (high, low))
            after = e.add(shift, self.width)
            self.change(sums, e.add_to, after, e.add(after, net), i)
            self.change(sums, e.subtract_from, shift, other, i)
        return high, low

    def change(
        self, sums: dict[str, list[Any]], change: Callable[..., None], mine: Any, other: Any, i: Any
    ) -> None:
        """Add a frame to all sums, or take it away."""
        e = self.e
        place = e.add(e.mul(mine, self.nx), i)
        x, xx, here_x = (e.copy_of(array, place) for array in self.x)
        corner = e.add(e.mul(other, self.ny), self.j)
        columns = zip(*(e.load_parts(array, corner) for array in self.y), strict=True)
        for p, (y, yy, here_y) in enumerate(columns):
            for name, first, second in (
                ("count", here_x, here_y), ("x", x, here_y), ("y", here_x, y),
                ("xx", xx, here_y), ("yy", here_x, yy), ("xy", x, y),
            ):  # fmt: skip
                change(sums[name][p], first, second)

    def correlate(
        self, sums: dict[str, list[Any]], shift: Any, other: Any, i: Any, extremes: Any
    ) -> None:
        """Turn the sums into r times its magnitude, and keep the extremes."""
        e, b = self.e, self.e.builder
        own = e.copy_of(self.norm_x, e.add(e.mul(shift, self.nx), i))
        norms = e.load_parts(self.norm_y, e.add(e.mul(other, self.ny), self.j))
        for p in range(e.parts):
            count, x, y, xx, yy, xy = (e.get(sums[name][p]) for name in NAMES)
            covariance = e.multiply_subtract(x, y, b.fmul(count, xy))
            var_x = e.multiply_subtract(x, x, b.fmul(count, xx))
            var_y = e.multiply_subtract(y, y, b.fmul(count, yy))
            square = b.fdiv(b.fmul(covariance, e.absolute(covariance)), b.fmul(var_x, var_y))
            floor = b.fmul(count, e.constant(ENOUGH))
            small = b.or_(b.fcmp_ordered("<", var_x, floor), b.fcmp_ordered("<", var_y, floor))
            square = b.select(small, e.constant(REDO), square)
            # The norm of a window that is undefined by itself is NaN.
            defined = b.and_(
                b.fcmp_ordered(">=", count, self.need), b.fcmp_ordered("ord", own, norms[p])
            )
            for slots, sign in ((extremes[0], ">"), (extremes[1], "<")):
                beyond = b.and_(defined, b.fcmp_ordered(sign, square, e.get(slots[p])))
                e.keep(beyond, slots[p], square)
