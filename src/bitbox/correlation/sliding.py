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

from bitbox.correlation.geometry import WIDE
from bitbox.correlation.vectors import Cells, Emitter


@intrinsic
def coordination(typing, registers, x, y, order, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among all shifts of both windows for ROWS x COLUMNS pairs.

    x = (values (frames * d, n1), inverse norms (shifts, n1), entering, leaving (shifts * d, n1)); y
    = the same, (…, n2). The first window's values sum to 0. Entering and leaving are what changes
    from one shift to the next, less the mean of what stays, times the root of (W - 1) / W. order =
    (net lags, values), each (lags,), the preferred first; out = (r, lag), each (n1, n2);
    at = (i, j, frames of a window, d, shifts, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        _SlideTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, order, out, at), codegen


class ShiftTile:
    """What tiles have in common that take the best of some shifts of both windows for every lag."""

    def __init__(self, e: Emitter, lags: Any, out: Any, polarity: Any) -> None:
        self.e = e
        (self.order, self.n_lags), (self.lags, _) = lags
        (self.out_r, self.n_out), (self.out_lag, _) = out[:2]
        self.signless = e.builder.icmp_signed("!=", polarity, e.whole(0))
        self.i = self.j = self.shifts = e.whole(0)

    def emit(self) -> None:
        """Write the tile."""
        self.e.each_rows(self.i, self.rows)

    def rows(self, first: Any) -> None:
        """Choose for some rows."""
        e, b = self.e, self.e.builder
        score, best, chosen = (e.fresh(start) for start in (-2.0, float("nan"), 0.0))
        with e.loop(self.n_lags) as q:
            high, low = e.fresh(-2.0), e.fresh(2.0)
            self.extremes(b.load(b.gep(self.order, [q])), first, (high, low))
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


class _SlideTile(ShiftTile):
    """The recipe of `coordination`."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        at = cgutils.unpack_tuple(e.builder, args[4])
        super().__init__(e, e.tuple_data(kinds[2], args[2]), e.tuple_data(kinds[3], args[3]), at[5])
        self.i, self.j, self.width, self.d, self.shifts, _ = at
        x, y = e.tuple_data(kinds[0], args[0]), e.tuple_data(kinds[1], args[1])
        (self.x, self.norm_x, *self.changes_x), self.nx = (a for a, _ in x), x[0][1]
        (self.y, self.norm_y, *self.changes_y), self.ny = (a for a, _ in y), y[0][1]

    def extremes(self, net: Any, first: Any, found: tuple[Cells, Cells]) -> None:
        """Slide the sum of products over all common shifts."""
        e, b = self.e, self.e.builder
        mine, other, count = self.begin(net)
        x, y = b.gep(self.x, [first]), b.gep(self.y, [self.j])
        row_x, row_y = e.mul(mine, self.d), e.mul(other, self.d)
        sums = e.product(
            b.gep(x, [e.mul(row_x, self.nx)]), self.nx,
            b.gep(y, [e.mul(row_y, self.ny)]), self.ny, e.mul(self.width, self.d),
        )  # fmt: skip
        self.correlate((mine, other), first, sums, found)
        with e.loop(b.sub(count, e.whole(1))) as step:
            at = e.add(mine, step), e.add(other, step)
            with e.loop(self.d) as c:
                rows = [e.add(e.mul(row, self.d), c) for row in at]
                for k, change in enumerate((e.add_to, e.subtract_from)):
                    of_x = b.gep(self.changes_x[k], [first]), self.nx, rows[0]
                    of_y = b.gep(self.changes_y[k], [self.j]), self.ny, rows[1]
                    e.step(sums, of_x, of_y, change)
            after = e.add(at[0], e.whole(1)), e.add(at[1], e.whole(1))
            self.correlate(after, first, sums, found)

    def correlate(self, at: Any, first: Any, sums: Cells, found: tuple[Cells, Cells]) -> None:
        """Turn sums into correlations, and keep the extremes."""
        e, b = self.e, self.e.builder
        norms_y = e.load_parts(self.norm_y, e.add(e.mul(at[1], self.ny), self.j))
        for row in range(e.rows):
            place = e.add(e.mul(at[0], self.nx), e.add(first, e.whole(row)))
            norm_x = e.copy_of(self.norm_x, place)
            for p in range(e.parts):
                r = b.fmul(b.fmul(e.get(sums[row, p]), norms_y[p]), norm_x)
                self.keep_extremes(r, (row, p), found)
