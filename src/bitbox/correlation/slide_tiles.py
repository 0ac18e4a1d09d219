"""The register tile of coordination, where both windows move.

For one net lag the sum of centred products over a window is computed once and then slid along. Two
windows, one frame apart, share all but one frame of each. A frame p that joins the W - 1 shared
ones, whose means are m, adds (W - 1) / W (p - m) (q - m') to the sum of centred products; so a step
adds that of the frame that enters, and takes away that of the frame that leaves. No mean is left to
be taken out, and nothing cancels but what is no longer in the window.
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

    x = (values, inverse norms, entering, leaving), (frames * d, n1), (shifts, n1), (shifts * d,
    n1) twice; y = the same, (…, n2). The first window's values sum to 0. Entering and leaving are
    what changes from one shift to the next, less the mean of what stays; x's times (W - 1) / W.
    order = (net lags, values), each (lags,), and shifts - 1 is the largest; out = (r, lag), each
    (n1, n2); at = (i, j, frames of a window, d, shifts, polarity).
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
        x, y = e.tuple_data(kinds[0], args[0]), e.tuple_data(kinds[1], args[1])
        (self.x, self.norm_x, *self.changes_x), self.nx = (a for a, _ in x), x[0][1]
        (self.y, self.norm_y, *self.changes_y), self.ny = (a for a, _ in y), y[0][1]
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
        self.correlate(begin, e.add(begin, net), first, sums, high, low)
        with e.loop(b.sub(count, e.whole(1))) as step:
            shift = e.add(begin, step)
            other = e.add(shift, net)
            with e.loop(self.d) as c:
                rows = e.add(e.mul(shift, self.d), c), e.add(e.mul(other, self.d), c)
                for k, change in enumerate((e.add_to, e.subtract_from)):
                    self.slide(sums, (self.changes_x[k], self.changes_y[k]), rows, first, change)
            following = e.add(shift, e.whole(1)), e.add(other, e.whole(1))
            self.correlate(*following, first, sums, high, low)
        return high, low

    def slide(self, sums: Cells, changes: Any, rows: Any, first: Any, change: Any) -> None:
        """Add the products of the frames that enter to the sums, or take away those that leave."""
        e, b = self.e, self.e.builder
        columns = e.load_parts(changes[1], e.add(e.mul(rows[1], self.ny), self.j))
        row = b.gep(changes[0], [e.add(e.mul(rows[0], self.nx), first)])
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
        for row in range(e.rows):
            place = e.add(e.mul(shift, self.nx), e.add(first, e.whole(row)))
            norm_x = e.copy_of(self.norm_x, place)
            for p in range(e.parts):
                cell = row, p
                r = b.fmul(b.fmul(e.get(sums[cell]), norms_y[p]), norm_x)
                e.keep(b.fcmp_ordered(">", r, e.get(high[cell])), high[cell], r)
                e.keep(b.fcmp_ordered("<", r, e.get(low[cell])), low[cell], r)
