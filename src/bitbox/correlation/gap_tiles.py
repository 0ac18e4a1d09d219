"""The register tile for windows with missing frames, and the tables that it reads.

Missing frames are 0 in the panels, so the sum of products is already that over the pairwise
complete frames. What is left is to take out of each signal's own sums the frames that only the
other one misses. Those that x misses are few for each of its signals, and `row_tables` takes them
out of all of y's sums at once. Those that a tile's signals of y miss are listed, and the tile takes
them out of the sums of its rows of x. Comparing fractions by cross-multiplication saves a division
and a root for every lag.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import ROWS, WIDE, Emitter

#: What r is set to where the corrections took away too much of a window to be accurate.
REDO = 3.0

#: The share of a window's variance that must be left.
ENOUGH = 0.35

#: Tables of y's windows: one for signals of x without gaps, and one for each row of a tile.
SLOTS = ROWS + 1

Cells = dict[tuple[int, int], Any]


@intrinsic
def row_tables(typing, registers, y, tables, gaps, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill one slot of the tables: y's windows without the frames that one signal of x misses.

    y = (values, squared) (rows, n2) and absent (frames, n2); tables = (inverse norms, sums (lags *
    d, n2), sums of squares, counts), (lags, n2), by first frame; gaps = (frames missed, first frame
    of each lag); out = (one over counts (lags * SLOTS, n2), sums (lags * d * SLOTS, n2), what is
    left of the squared norms (lags * SLOTS, n2), NaN where there are too few frames and 0 where too
    little is left); at = (first, last of the frames missed, slot, d, need).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, y.types[0].dtype, registers.count == len(WIDE))
        _emit_row_tables(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, y, tables, gaps, out, at), codegen


def _emit_row_tables(e: Emitter, kinds: Any, args: Any) -> None:
    b = e.builder
    (y, n), (y2, _), (absent, _) = e.tuple_data(kinds[0], args[0])
    inverse, sums, squares, counts = (a for a, _ in e.tuple_data(kinds[1], args[1]))
    (frames, _), (starts, lags) = e.tuple_data(kinds[2], args[2])
    out_share, out_sum, out_left = (a for a, _ in e.tuple_data(kinds[3], args[3]))
    low, high, slot, d, need = cgutils.unpack_tuple(b, args[4])
    missed = e.spread(b.sitofp(b.sub(high, low), e.real))
    needed = e.spread(b.sitofp(need, e.real))

    def place(row: Any, j: Any) -> Any:
        return e.add(e.mul(row, n), j)

    def total(slots: list[Any], rows: Any, j: Any) -> None:
        """Add up what is missed: rows = [(pointer, row of a frame)]."""
        with e.loop(b.sub(high, low)) as m:
            k = b.load(b.gep(frames, [e.add(low, m)]))
            for slot_, (pointer, row) in zip(slots, rows, strict=True):
                value = e.load(pointer, place(row(k), j))
                e.put(slot_, b.fadd(e.get(slot_), value))

    with e.loop(lags) as q:
        f = b.load(b.gep(starts, [q]))
        with e.loop(b.sdiv(n, e.whole(e.lanes))) as number:
            j = e.mul(number, e.whole(e.lanes))
            norm = e.load(inverse, place(f, j))
            both, lost, between = (e.variable(e.constant(0.0)) for _ in range(3))
            total([both], [(absent, lambda k, f=f: e.add(f, k))], j)
            with e.loop(d) as c:
                along = e.variable(e.constant(0.0))
                at = lambda k, f=f, c=c: e.add(e.mul(e.add(f, k), d), c)  # noqa: E731
                total([along, lost], [(y, at), (y2, at)], j)
                whole = e.load(sums, place(e.add(e.mul(f, d), c), j))
                left = e.multiply_subtract(e.get(along), norm, whole)
                e.add_to(between, left, left)
                row = e.add(e.mul(e.add(e.mul(q, d), c), e.whole(SLOTS)), slot)
                e.store(left, out_sum, place(row, j))
            count = b.fadd(b.fsub(e.load(counts, place(f, j)), missed), e.get(both))
            share = b.fdiv(e.constant(1.0), count)
            left = e.multiply_subtract(
                e.get(lost), b.fmul(norm, norm), e.load(squares, place(f, j))
            )
            left = e.multiply_subtract(e.get(between), share, left)
            small = b.fcmp_ordered("<", left, e.constant(ENOUGH))
            left = b.select(small, e.constant(0.0), left)
            enough = b.fcmp_ordered(">=", count, needed)
            left = b.select(enough, left, e.constant(float("nan")))
            row = e.add(e.mul(q, e.whole(SLOTS)), slot)
            e.store(share, out_share, place(row, j))
            e.store(left, out_left, place(row, j))


@intrinsic
def imitation(typing, registers, x, y, tables, gaps, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    x = (normalised, squared), each (terms, n1); y = (values (rows, n2), absent (frames, n2),
    inverse norms (lags, n2)); tables = what `row_tables` fills; gaps = (slot of each row, list,
    lowest, highest): list[lowest[q]:highest[q]] are the frames of y's panel that a signal of the
    tile misses in the window of lag q; lags = (first frames of y, values); out = (r, lag), each
    (n1, n2); at = (i, j, frames, d, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        GapTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, tables, gaps, lags, out, at), codegen


class GapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        (self.x, self.nx), (self.x2, _) = e.tuple_data(kinds[0], args[0])
        (self.y, self.ny), (self.absent, _), (self.inverse, _) = e.tuple_data(kinds[1], args[1])
        self.share, self.sum, self.left = (t for t, _ in e.tuple_data(kinds[2], args[2]))
        gaps = e.tuple_data(kinds[3], args[3])
        self.slots, self.listed, self.lowest, self.highest = (g for g, _ in gaps)
        (self.starts, self.n_lags), (self.lags, _) = e.tuple_data(kinds[4], args[4])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[5], args[5])
        self.i, self.j, self.width, self.d, polarity = cgutils.unpack_tuple(e.builder, args[6])
        self.sign = e.sign_mask(polarity)
        signless = e.builder.icmp_signed("!=", polarity, e.whole(0))
        self.worst = e.builder.select(signless, e.constant(0.0), e.constant(-2.0))

    def emit(self) -> None:
        """Write the tile."""
        self.e.each_rows(self.i, self.rows)

    def cells(self, value: float) -> Cells:
        """Return a variable for every accumulator."""
        return {cell: self.e.variable(self.e.constant(value)) for cell in self.e.cells()}

    def number(self, array: Any, index: Any) -> Any:
        """Load a scalar."""
        return self.e.builder.load(self.e.builder.gep(array, [index]))

    def rows(self, first: Any) -> None:
        """Choose for some rows; a fraction is kept as signed numerator and denominator."""
        e, b = self.e, self.e.builder
        nan = e.constant(float("nan"))
        best = {"norm": self.cells(1.0), "lag": self.cells(float("nan"))}
        best["score"] = {cell: e.variable(self.worst) for cell in e.cells()}
        with e.loop(self.n_lags) as q:
            # From the last to the first, which a tie prefers.
            self.lag(b.sub(b.sub(self.n_lags, e.whole(1)), q), first, best)
        for cell in e.cells():
            score, norm, lag = (e.get(best[name][cell]) for name in ("score", "norm", "lag"))
            size = e.root(b.fdiv(e.absolute(score), norm))
            r = e.clipped(
                b.select(b.fcmp_ordered("<", score, e.constant(0.0)), e.negative(size), size)
            )
            redo = b.fcmp_ordered("==", norm, e.constant(0.0))
            r = b.select(redo, e.constant(REDO), r)
            e.put(best["score"][cell], b.select(b.fcmp_ordered("ord", lag, lag), r, nan))
        e.store_cells(best["score"], self.out_r, first, self.j, self.n_out)
        e.store_cells(best["lag"], self.out_lag, first, self.j, self.n_out)

    def lag(self, q: Any, first: Any, best: dict[str, Cells]) -> None:
        """Correlate at one lag, and keep what is better."""
        e, b = self.e, self.e.builder
        start = self.number(self.starts, q)
        corner = e.add(e.mul(e.mul(start, self.d), self.ny), self.j)
        terms = e.mul(self.width, self.d)
        x, y = b.gep(self.x, [first]), b.gep(self.y, [corner])
        covariance = e.product(x, self.nx, y, self.ny, terms)
        inverse = e.load_parts(self.inverse, e.add(e.mul(start, self.ny), self.j))
        for r, p in e.cells():
            e.put(covariance[r, p], b.fmul(e.get(covariance[r, p]), inverse[p]))
        left = self.cells(1.0)
        one = b.icmp_signed("==", self.d, e.whole(1))
        with b.if_else(one) as (single, vector):
            with single:  # the usual case, without a loop that keeps everything in memory
                self.coordinate(q, (start, e.whole(0)), first, (covariance, left))
            with vector, e.loop(self.d) as c:
                self.coordinate(q, (start, c), first, (covariance, left))
        lag = e.copy_of(self.lags, q)
        for r in range(e.rows):
            row = e.add(e.mul(q, e.whole(SLOTS)), self.slot(first, r))
            own = e.load_parts(self.left, e.add(e.mul(row, self.ny), self.j))
            for p in range(e.parts):
                self.compare(
                    (e.get(covariance[r, p]), e.get(left[r, p]), own[p]), lag, best, (r, p)
                )

    def coordinate(
        self, q: Any, where: tuple[Any, Any], first: Any, totals: tuple[Cells, Cells]
    ) -> None:
        """Take out what one coordinate's sums make of the frames that are left."""
        e, b = self.e, self.e.builder
        covariance, left = totals
        sums = self.cells(0.0)
        self.take_out(q, where, first, (sums, left))
        for r in range(e.rows):
            slot = self.slot(first, r)
            row = e.add(e.mul(e.add(e.mul(q, self.d), where[1]), e.whole(SLOTS)), slot)
            own = e.load_parts(self.sum, e.add(e.mul(row, self.ny), self.j))
            row = e.add(e.mul(q, e.whole(SLOTS)), slot)
            share = e.load_parts(self.share, e.add(e.mul(row, self.ny), self.j))
            for p in range(e.parts):
                total = e.get(sums[r, p])
                mean = b.fmul(total, share[p])
                e.subtract_from(covariance[r, p], mean, own[p])
                e.subtract_from(left[r, p], mean, total)

    def slot(self, first: Any, r: int) -> Any:
        """Return which table holds for a row."""
        row = self.e.builder.sub(self.e.add(first, self.e.whole(r)), self.i)
        return self.number(self.slots, row)

    def take_out(self, q: Any, where: tuple[Any, Any], first: Any, sums: tuple[Any, Any]) -> None:
        """Take the frames that y misses out of the rows' sums, and sums of squares."""
        e, b = self.e, self.e.builder
        start, c = where
        low = self.number(self.lowest, q)
        with e.loop(b.sub(self.number(self.highest, q), low)) as step:
            frame = self.number(self.listed, e.add(low, step))
            absent = e.load_parts(self.absent, e.add(e.mul(frame, self.ny), self.j))
            k = e.add(e.mul(b.sub(frame, start), self.d), c)
            place = e.add(e.mul(k, self.nx), first)
            one, two = b.gep(self.x, [place]), b.gep(self.x2, [place])
            for r in range(e.rows):
                for slots, pointer in zip(sums, (one, two), strict=True):
                    value = e.copy_of(pointer, e.whole(r))
                    for p in range(e.parts):
                        e.subtract_from(slots[r, p], value, absent[p])

    def compare(
        self, total: tuple[Any, Any, Any], lag: Any, best: dict[str, Cells], cell: tuple[int, int]
    ) -> None:
        """Keep the larger fraction; one whose denominator is too small is 1/0, and stays."""
        e, b = self.e, self.e.builder
        covariance, left_x, left_y = total
        zero = e.constant(0.0)
        left_x = b.select(b.fcmp_ordered("<", left_x, e.constant(ENOUGH)), zero, left_x)
        norm = b.fmul(left_x, left_y)
        score = b.fmul(covariance, e.absolute(covariance))
        score = b.select(b.fcmp_ordered("==", norm, zero), e.constant(1.0), score)
        old, old_norm = e.get(best["score"][cell]), e.get(best["norm"][cell])
        size = e.masked(b.fmul(score, old_norm), self.sign)
        other = e.masked(b.fmul(old, norm), self.sign)
        # False where something is NaN, that is, undefined.
        better = b.fcmp_ordered(">=", size, other)
        for name, value in (("score", score), ("norm", norm), ("lag", lag)):
            e.keep(better, best[name][cell], value)
