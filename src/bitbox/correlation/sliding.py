"""The register tile of coordination, where both windows move.

For one net lag the windows of all shifts have frames in common; their products are summed once.
What lies before these frames, and behind them, is added up from there outwards. So every product is
taken once, and nothing that was added is ever taken away, which in float32 would leave its rounding
behind.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils

from bitbox.correlation.geometry import COLUMNS, ROWS
from bitbox.correlation.moments import Panel, panel_of
from bitbox.correlation.vectors import Cells, Emitter


class ShiftTile:
    """What tiles have in common that take the best of some shifts of both windows for every lag."""

    i: Any
    j: Any
    x: Panel
    y: Panel
    n: Any
    d: Any
    width: Any
    shifts: Any
    work: Any

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
        """Find the highest and the lowest value of one net lag, over all common shifts.

        They are gone through at most a window's width at a time. Windows that lie so near each
        other have a core in common. The sum of products of one is that of what lies before the
        core, of the core, and of what lies behind it.
        """
        e, b, one = self.e, self.e.builder, self.e.whole(1)
        mine, other, count = self.begin(net)
        sums = self.first((mine, other), first)
        with e.loop(b.sdiv(e.add(count, b.sub(self.width, one)), self.width)) as number:
            start = e.mul(number, self.width)
            rest = b.sub(count, start)
            shifts = b.select(b.icmp_signed("<", rest, self.width), rest, self.width)
            at = e.add(mine, start), e.add(other, start)
            behind = self.core(at, first, shifts)
            with e.loop(shifts) as k:
                now = tuple(e.opaque(e.add(row, k)) for row in at)
                last = tuple(e.add(row, b.sub(self.width, one)) for row in now)
                with b.if_then(b.icmp_signed(">", k, e.whole(0))):
                    self.add_products(behind, last, first)
                with b.if_then(b.icmp_signed(">", e.add(start, k), e.whole(0))):
                    self.slide(sums, (now, last), first)
                sums["xy"] = {
                    cell: e.variable(b.fadd(e.get(slot), e.load(self.work, self.before(k, cell))))
                    for cell, slot in behind.items()
                }
                self.correlate(sums, now, first, found)

    def core(self, at: Any, first: Any, shifts: Any) -> Cells:
        """Return the sums of products of what windows share, and note those of what lies before."""
        e, b = self.e, self.e.builder
        last, before = b.sub(shifts, e.whole(1)), e.fresh(0.0)
        with e.loop(shifts) as k:
            k = b.sub(last, k)
            with b.if_then(b.icmp_signed("<", k, last)):
                self.add_products(before, tuple(e.add(row, k) for row in at), first)
            for cell, slot in before.items():
                e.store(e.get(slot), self.work, self.before(k, cell))
        return self.products(
            tuple(e.add(row, last) for row in at), first, e.mul(b.sub(self.width, last), self.d)
        )

    def products(self, at: Any, first: Any, terms: Any) -> Cells:
        """Return sums of products of so many terms from some frames on."""
        e, b = self.e, self.e.builder
        row_x, row_y = (e.mul(row, self.d) for row in at)
        corner_x = b.gep(self.x.values, [e.add(e.mul(row_x, self.n), first)])
        corner_y = b.gep(self.y.values, [e.mul(row_y, self.n)])
        return e.product(corner_x, self.n, corner_y, self.n, terms)

    def add_products(self, sums: Cells, at: Any, first: Any) -> None:
        """Add the products of a frame."""
        e, b = self.e, self.e.builder
        with e.loop(self.d) as c:
            x, y = (e.add(e.mul(row, self.d), c) for row in at)
            of_x = b.gep(self.x.values, [first]), self.n, x
            e.step(sums, of_x, (self.y.values, self.n, y), e.add_to)

    def place(self, k: Any, cell: tuple[int, int]) -> Any:
        """Return the place of a number of a cell in what a tile cannot keep in registers."""
        e = self.e
        part = e.whole((cell[0] * e.parts + cell[1]) * e.lanes)
        return e.add(e.mul(k, e.whole(ROWS * COLUMNS)), part)

    def before(self, k: Any, cell: tuple[int, int]) -> Any:
        """Return the place of a cell's sum of products from a window's first frame to the core."""
        return self.place(self.e.add(self.e.add(self.d, self.d), k), cell)

    def first(self, at: Any, first: Any) -> dict[str, Cells]:  # noqa: ARG002
        """Return what else is summed over the first windows."""
        return {}

    def slide(self, sums: dict[str, Cells], rows: Any, first: Any) -> None:
        """Let the first and the last frames of windows, (first, last), leave and enter it."""

    def correlate(
        self, sums: dict[str, Cells], at: Any, first: Any, found: tuple[Cells, Cells]
    ) -> None:
        """Turn sums into what is compared, and keep the extremes."""
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
    """The tile of coordination without missing frames; `tiles.choose` says what it takes."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.i, self.j, corner_y, *sizes, _, polarity = cgutils.unpack_tuple(e.builder, args[3])
        order, out = e.data(kinds[1], args[1]), e.tuple_data(kinds[2], args[2])
        super().__init__(e, order, out, polarity)
        self.width, self.shifts, self.d = sizes
        block, self.n = e.data(kinds[0], args[0])
        self.x, self.work = panel_of(e, block, self.n, e.whole(0), sizes)
        self.y, _ = panel_of(e, block, self.n, corner_y, sizes)

    def correlate(
        self, sums: dict[str, Cells], at: Any, first: Any, found: tuple[Cells, Cells]
    ) -> None:
        """Take the means out, turn sums into correlations, and keep the extremes."""
        e, b, xy = self.e, self.e.builder, sums["xy"]
        with e.loop(self.d) as c:
            x, y = (e.mul(e.add(e.mul(row, self.d), c), self.n) for row in at)
            of_y = e.load_parts(self.y.sums, y)
            for row, p in e.cells():
                mean = e.copy_of(self.x.means, e.add(x, e.add(first, e.whole(row))))
                e.subtract_from(xy[row, p], mean, of_y[p])
        norms_y = e.load_parts(self.y.inverse, e.mul(at[1], self.n))
        for row in range(e.rows):
            place = e.add(e.mul(at[0], self.n), e.add(first, e.whole(row)))
            norm_x = e.copy_of(self.x.inverse, place)
            for p in range(e.parts):
                r = b.fmul(b.fmul(e.get(xy[row, p]), norms_y[p]), norm_x)
                self.keep_extremes(r, (row, p), found)
