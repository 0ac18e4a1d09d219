"""The register tile of coordination, where both windows move.

For one net lag the sum of products over the window is computed once and then slid along: each
step adds the products of the frame that enters and takes away those of the frame that leaves.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter

Cells = dict[tuple[int, int], Any]


@intrinsic
def coordination(typing, registers, x, y, order, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among all shifts of both windows for ROWS x COLUMNS pairs.

    x = (values, inverse norms, means), ((frames + 1) * d, n1), (shifts, n1), (shifts * d, n1),
    the means in units of the norms and times the window's frames; y = the same, (…, n2), the
    means in units of the norms; order = (net lags, values), each (lags,), and shifts - 1 is the
    largest; out = (r, lag), each (n1, n2); at = (i, j, frames of a window, d, shifts, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        SlideTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, order, out, at), codegen


class SlideTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        (self.x, self.nx), (self.norm_x, _), (self.mean_x, _) = e.tuple_data(kinds[0], args[0])
        (self.y, self.ny), (self.norm_y, _), (self.mean_y, _) = e.tuple_data(kinds[1], args[1])
        (self.order, self.n_lags), (self.lags, _) = e.tuple_data(kinds[2], args[2])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[3], args[3])
        self.i, self.j, self.width, self.d, self.shifts, polarity = cgutils.unpack_tuple(
            e.builder, args[4]
        )
        self.signless = e.builder.icmp_signed("!=", polarity, e.whole(0))

    def emit(self) -> None:
        """Write the tile."""
        self.e.each_rows(self.i, self.rows)

    def cells(self, value: float) -> Cells:
        """Return a variable for every accumulator."""
        return {cell: self.e.variable(self.e.constant(value)) for cell in self.e.cells()}

    def rows(self, first: Any) -> None:
        """Choose for some rows."""
        e, b = self.e, self.e.builder
        score, best, chosen = (self.cells(start) for start in (-2.0, float("nan"), 0.0))
        with e.loop(self.n_lags) as q:
            net = b.load(b.gep(self.order, [q]))
            high, low = self.extremes(net, first)
            lag = e.copy_of(self.lags, q)
            for cell in e.cells():
                up, down = e.get(high[cell]), e.negative(e.get(low[cell]))
                negative = b.and_(e.every(self.signless), b.fcmp_ordered(">", down, up))
                new = b.select(negative, down, up)
                better = b.fcmp_ordered(">", new, e.get(score[cell]))
                r = b.select(negative, e.get(low[cell]), up)
                for slot, value in ((score, new), (best, r), (chosen, lag)):
                    e.keep(better, slot[cell], value)
        for cell in e.cells():
            e.put(best[cell], e.clipped(e.get(best[cell])))
        e.store_cells(best, self.out_r, first, self.j, self.n_out)
        e.store_cells(chosen, self.out_lag, first, self.j, self.n_out)

    def extremes(self, net: Any, first: Any) -> tuple[Cells, Cells]:
        """Return the highest and the lowest r of one net lag, over all common shifts."""
        e, b = self.e, self.e.builder
        zero = e.whole(0)
        negative = b.icmp_signed("<", net, zero)
        begin = b.select(negative, b.sub(zero, net), zero)
        count = b.sub(self.shifts, b.select(negative, begin, net))
        x, y = b.gep(self.x, [first]), b.gep(self.y, [self.j])
        row_x, row_y = e.mul(begin, self.d), e.mul(e.add(begin, net), self.d)
        sums = e.product(
            b.gep(x, [e.mul(row_x, self.nx)]), self.nx,
            b.gep(y, [e.mul(row_y, self.ny)]), self.ny, e.mul(self.width, self.d),
        )  # fmt: skip
        high, low = self.cells(-2.0), self.cells(2.0)
        with e.loop(count) as step:
            shift = e.add(begin, step)
            self.correlate(shift, e.add(shift, net), first, sums, high, low)
            with e.loop(self.d) as c:
                old_x = e.add(e.mul(shift, self.d), c)
                old_y = e.add(e.mul(e.add(shift, net), self.d), c)
                span = e.mul(self.width, self.d)
                self.slide(sums, (x, y), (e.add(old_x, span), e.add(old_y, span)), e.add_to)
                self.slide(sums, (x, y), (old_x, old_y), e.subtract_from)
        return high, low

    def slide(self, sums: Cells, corners: Any, rows: Any, change: Any) -> None:
        """Add the products of a frame to the sums, or take them away."""
        e, b = self.e, self.e.builder
        columns = e.load_parts(corners[1], e.mul(rows[1], self.ny))
        row = b.gep(corners[0], [e.mul(rows[0], self.nx)])
        for r in range(e.rows):
            value = e.copy_of(row, e.whole(r))
            for p in range(e.parts):
                change(sums[r, p], value, columns[p])

    def correlate(
        self, shift: Any, other: Any, first: Any, sums: Cells, high: Cells, low: Cells
    ) -> None:
        """Turn sums into correlations, and keep the extremes; NaN is never kept."""
        e, b = self.e, self.e.builder
        norms_y = e.load_parts(self.norm_y, e.add(e.mul(other, self.ny), self.j))
        scaled = {cell: e.variable(e.constant(0.0)) for cell in e.cells()}
        for r in range(e.rows):
            norm_x = e.copy_of(self.norm_x, e.add(e.mul(shift, self.nx), e.add(first, e.whole(r))))
            for p in range(e.parts):
                e.put(scaled[r, p], b.fmul(b.fmul(e.get(sums[r, p]), norms_y[p]), norm_x))
        with e.loop(self.d) as c:
            row_x = e.add(e.mul(e.add(e.mul(shift, self.d), c), self.nx), first)
            row_y = e.add(e.mul(e.add(e.mul(other, self.d), c), self.ny), self.j)
            means = e.load_parts(self.mean_y, row_y)
            for r in range(e.rows):
                mean = e.copy_of(self.mean_x, e.add(row_x, e.whole(r)))
                for p in range(e.parts):
                    e.subtract_from(scaled[r, p], mean, means[p])
        for cell in e.cells():
            r = e.get(scaled[cell])
            e.keep(b.fcmp_ordered(">", r, e.get(high[cell])), high[cell], r)
            e.keep(b.fcmp_ordered("<", r, e.get(low[cell])), low[cell], r)
