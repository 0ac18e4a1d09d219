"""The register tile of coordination, where both windows move.

For one net lag the sum of centred products over a window is computed once and then slid along. Two
windows, one frame apart, share all but one frame of each. A frame p that joins the W - 1 shared
ones, whose means are m, adds (W - 1) / W (p - m) (q - m') to the sum of centred products; so a step
adds that of the frame that enters, and takes away that of the frame that leaves. No mean is left to
be taken out, and nothing cancels but what is no longer in the window.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils

from bitbox.correlation.moments import panel_of
from bitbox.correlation.vectors import Cells, Emitter


class ShiftTile:
    """What tiles have in common that take the best of some shifts of both windows for every lag."""

    i: Any
    j: Any
    shifts: Any

    def __init__(self, e: Emitter, order: Any, out: Any, polarity: Any) -> None:
        self.e = e
        self.order, self.n_lags = order
        (self.out_r, self.n_out), (self.out_lag, _) = out[:2]
        self.signless = e.builder.icmp_signed("!=", polarity, e.whole(0))

    def emit(self) -> None:
        """Write the tile."""
        self.e.each_rows(self.i, self.rows)

    def rows(self, first: Any) -> None:
        """Choose for some rows."""
        e, b = self.e, self.e.builder
        score, best, chosen = (e.fresh(start) for start in (-2.0, float("nan"), 0.0))
        with e.loop(self.n_lags) as q:
            high, low = e.fresh(-2.0), e.fresh(2.0)
            net = b.load(b.gep(self.order, [q]))
            self.extremes(net, first, (high, low))
            lag = e.number(net)
            for cell in e.cells():
                up, down = e.get(high[cell]), e.negative(e.get(low[cell]))
                negative = b.and_(e.every(self.signless), b.fcmp_ordered(">", down, up))
                new = b.select(negative, down, up)
                better = b.fcmp_ordered(">", new, e.get(score[cell]))
                r = b.select(negative, e.get(low[cell]), up)
                for slot, value in ((score, new), (best, r), (chosen, lag)):
                    e.keep(better, slot[cell], value)
        for cell in e.cells():
            e.put(best[cell], e.clipped(self.correlation(e.get(best[cell]))))
        e.store_cells(best, self.out_r, first, self.j, self.n_out)
        e.store_cells(chosen, self.out_lag, first, self.j, self.n_out)

    def correlation(self, value: Any) -> Any:
        """Return the correlation that a compared value stands for."""
        return value

    def extremes(self, net: Any, first: Any, found: tuple[Cells, Cells]) -> None:
        """Find the highest and the lowest value of one net lag, over all common shifts."""
        raise NotImplementedError

    def begin(self, net: Any) -> tuple[Any, Any, Any]:
        """Return the first shifts of x and of y at a net lag, and how many there are."""
        e, b, zero = self.e, self.e.builder, self.e.whole(0)
        negative = b.icmp_signed("<", net, zero)
        shift = b.select(negative, b.sub(zero, net), zero)
        return shift, e.add(shift, net), b.sub(self.shifts, b.select(negative, shift, net))

    def keep_extremes(self, value: Any, cell: tuple[int, int], found: tuple[Cells, Cells]) -> None:
        """Keep a value where it is higher or lower; NaN is never kept."""
        for sign, slots in ((">", found[0]), ("<", found[1])):
            beyond = self.e.builder.fcmp_ordered(sign, value, self.e.get(slots[cell]))
            self.e.keep(beyond, slots[cell], value)


class SlideTile(ShiftTile):
    """The tile of coordination without missing frames; `tiles.choose` says what it takes.

    The first window's values sum to 0.
    """

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.i, self.j, corner_y, *sizes, _, polarity = cgutils.unpack_tuple(e.builder, args[3])
        order, out = e.data(kinds[1], args[1]), e.tuple_data(kinds[2], args[2])
        super().__init__(e, order, out, polarity)
        self.width, self.shifts, self.d = sizes
        block, self.n = e.data(kinds[0], args[0])
        self.x, _ = panel_of(e, block, self.n, e.whole(0), sizes)
        self.y, _ = panel_of(e, block, self.n, corner_y, sizes)

    def extremes(self, net: Any, first: Any, found: tuple[Cells, Cells]) -> None:
        """Slide the sum of products over all common shifts."""
        e, b = self.e, self.e.builder
        mine, other, count = self.begin(net)
        row_x, row_y = e.mul(mine, self.d), e.mul(other, self.d)
        corner_x = b.gep(self.x.values, [e.add(e.mul(row_x, self.n), first)])
        corner_y = b.gep(self.y.values, [e.mul(row_y, self.n)])
        sums = e.product(corner_x, self.n, corner_y, self.n, e.mul(self.width, self.d))
        self.correlate((mine, other), first, sums, found)
        with e.loop(b.sub(count, e.whole(1))) as step:
            at = e.add(mine, step), e.add(other, step)
            with e.loop(self.d) as c:
                rows = [e.add(e.mul(row, self.d), c) for row in at]
                for part, change in (("entering", e.add_to), ("leaving", e.subtract_from)):
                    of_x = b.gep(getattr(self.x, part), [first]), self.n, rows[0]
                    e.step(sums, of_x, (getattr(self.y, part), self.n, rows[1]), change)
            after = e.add(at[0], e.whole(1)), e.add(at[1], e.whole(1))
            self.correlate(after, first, sums, found)

    def correlate(self, at: Any, first: Any, sums: Cells, found: tuple[Cells, Cells]) -> None:
        """Turn sums into correlations, and keep the extremes."""
        e, b = self.e, self.e.builder
        norms_y = e.load_parts(self.y.inverse, e.mul(at[1], self.n))
        for row in range(e.rows):
            place = e.add(e.mul(at[0], self.n), e.add(first, e.whole(row)))
            norm_x = e.copy_of(self.x.inverse, place)
            for p in range(e.parts):
                r = b.fmul(b.fmul(e.get(sums[row, p]), norms_y[p]), norm_x)
                self.keep_extremes(r, (row, p), found)
