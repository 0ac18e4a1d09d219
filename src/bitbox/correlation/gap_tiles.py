"""The register tile for windows with missing frames, and the tables that it reads.

Missing frames are 0 in the panels, so the sum of products is already that over the pairwise
complete frames. What is left is to take out of each signal's own sums the frames that only the
other one misses. Those that x misses are few for each of its signals, and `row_tables` takes them
out of all of y's sums at once. What the frames that y misses add up to in all of x's signals at
once is known as well (see `gaps.lost_rows`), a row for each signal of y; the tile turns rows into
columns. Comparing fractions by cross-multiplication saves a division and a root for every lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import COLUMNS, ROWS, WIDE, Emitter

#: What r is set to where the corrections took away too much of a window to be accurate.
REDO = 3.0

#: The share of a window's variance that must be left.
ENOUGH = 0.35

#: Tables of y's windows: one for signals of x without gaps, and one for each row of a tile.
SLOTS = ROWS + 1

Cells = dict[tuple[int, int], Any]


@intrinsic
def row_tables(typing, registers, y, tables, gaps, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill one slot of a tile's tables: y's windows without the frames that a signal of x misses.

    y = values (frames * d, n2), squared (frames, n2) and absent (frames, n2); tables = (inverse
    norms, sums (lags * d, n2), sums of squares, counts), (lags, n2), by first frame; gaps = (frames
    missed, first frame of each lag); out = (counts (lags * SLOTS, COLUMNS), sums (lags * d * SLOTS,
    COLUMNS), what is left of the squared norms times counts (lags * SLOTS, COLUMNS), NaN where
    there are too few frames and 0 where too little is left); at = (first, last of the frames
    missed, slot, first column, d, need).
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
    out_count, out_sum, out_left = (a for a, _ in e.tuple_data(kinds[3], args[3]))
    low, high, slot, column, d, need = cgutils.unpack_tuple(b, args[4])
    missed = e.spread(b.sitofp(b.sub(high, low), e.real))
    needed = e.spread(b.sitofp(need, e.real))

    def place(row: Any, j: Any) -> Any:
        return e.add(e.mul(row, n), j)

    def row_of(c: Any, k: Any) -> Any:
        """Return the row of a frame's coordinate."""
        return e.add(e.mul(k, d), c)

    def missing(q: Any, m: Any) -> Any:
        """Return one of the frames missed, in y's panel."""
        return e.add(b.load(b.gep(starts, [q])), b.load(b.gep(frames, [e.add(low, m)])))

    # One frame, or none, is the usual case: it is done without a loop.
    some = b.icmp_signed("<", low, high)
    only, more = e.every(some), b.select(some, b.sub(b.sub(high, low), e.whole(1)), e.whole(0))

    def total(parts: list[tuple[Any, Callable[[Any], Any]]], q: Any, j: Any) -> list[Any]:
        """Add up what is missed: parts = [(pointer, row of a frame)]."""
        k = b.select(some, missing(q, e.whole(0)), e.whole(0))
        slots = []
        for pointer, row in parts:
            first = e.load(pointer, place(row(k), j))
            slots.append(e.variable(b.select(only, first, e.constant(0.0))))
        with e.loop(more) as m:
            k = missing(q, e.add(m, e.whole(1)))
            for slot_, (pointer, row) in zip(slots, parts, strict=True):
                e.put(slot_, b.fadd(e.get(slot_), e.load(pointer, place(row(k), j))))
        return [e.get(slot_) for slot_ in slots]

    def one(q: Any, p: int) -> None:
        """Fill the tables of one lag and a part of the columns."""
        f, j = b.load(b.gep(starts, [q])), e.add(column, e.whole(p * e.lanes))
        norm, between = e.load(inverse, place(f, j)), e.variable(e.constant(0.0))

        def out(row: Any) -> Any:
            row = e.add(e.mul(row, e.whole(SLOTS)), slot)
            return e.add(e.mul(row, e.whole(COLUMNS)), e.whole(p * e.lanes))

        def coordinate(c: Any, along: Any) -> Any:
            whole = e.load(sums, place(e.add(e.mul(f, d), c), j))
            left = e.multiply_subtract(along, norm, whole)
            e.store(left, out_sum, out(e.add(e.mul(q, d), c)))
            return left

        same, first = partial(e.add, e.whole(0)), partial(row_of, e.whole(0))
        both, lost, along = total([(absent, same), (y2, same), (y, first)], q, j)
        left = coordinate(e.whole(0), along)
        e.put(between, b.fmul(left, left))
        with e.loop(b.sub(d, e.whole(1))) as c:
            c = e.add(c, e.whole(1))
            (along,) = total([(y, partial(row_of, c))], q, j)
            left = coordinate(c, along)
            e.add_to(between, left, left)
        count = b.fadd(b.fsub(e.load(counts, place(f, j)), missed), both)
        left = e.multiply_subtract(lost, b.fmul(norm, norm), e.load(squares, place(f, j)))
        left = b.fsub(b.fmul(left, count), e.get(between))
        small = b.fcmp_ordered("<", left, b.fmul(count, e.constant(ENOUGH)))
        left = b.select(small, e.constant(0.0), left)
        enough = b.fcmp_ordered(">=", count, needed)
        e.store(count, out_count, out(q))
        e.store(b.select(enough, left, e.constant(float("nan"))), out_left, out(q))

    with e.loop(lags) as q:
        for p in range(e.parts):
            one(q, p)


@intrinsic
def imitation(typing, registers, x, y, tables, lost, slots, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    x (terms, n1) normalised; y = (values (rows, n2), inverse norms (lags, n2)); tables = what
    `row_tables` fills; lost = (sums (rows * d, n1), squares (rows, n1), which (lags, n2), some
    (lags, n2 / COLUMNS)): what x's values, and their squares, add up to over the frames that a
    signal of y misses is in row `which`; whether a signal of the tile misses any; slots of each
    row; lags = (first frames of y, values); out = (r, lag), each (n1, n2); at = (i, j, frames, d,
    polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.dtype, registers.count == len(WIDE))
        GapTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, tables, lost, slots, lags, out, at), codegen


class GapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        self.x, self.nx = e.data(kinds[0], args[0])
        (self.y, self.ny), (self.inverse, _) = e.tuple_data(kinds[1], args[1])
        self.count, self.sum, self.left = (t for t, _ in e.tuple_data(kinds[2], args[2]))
        lost = e.tuple_data(kinds[3], args[3])
        self.lost_sum, self.lost_square, self.which, self.some = (a for a, _ in lost)
        self.n_tiles = lost[3][1]
        self.slots, _ = e.data(kinds[4], args[4])
        (self.starts, self.n_lags), (self.lags, _) = e.tuple_data(kinds[5], args[5])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[6], args[6])
        self.i, self.j, self.width, self.d, polarity = cgutils.unpack_tuple(e.builder, args[7])
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
        left = self.cells(0.0)
        for r, p in e.cells():
            row = e.add(e.mul(q, e.whole(SLOTS)), self.slot(first, r))
            count = e.load(self.count, self.column(row, p))
            scaled = b.fmul(b.fmul(e.get(covariance[r, p]), inverse[p]), count)
            e.put(covariance[r, p], scaled)
            e.put(left[r, p], count)
        some = self.number(
            self.some, e.add(e.mul(q, self.n_tiles), b.sdiv(self.j, e.whole(COLUMNS)))
        )
        with b.if_then(b.icmp_signed("!=", some, e.whole(0))):
            self.take_out(q, first, covariance, left)
        lag = e.copy_of(self.lags, q)
        for r in range(e.rows):
            row = e.add(e.mul(q, e.whole(SLOTS)), self.slot(first, r))
            for p in range(e.parts):
                own = e.load(self.left, self.column(row, p))
                self.compare((e.get(covariance[r, p]), e.get(left[r, p]), own), lag, best, (r, p))

    def column(self, row: Any, p: int) -> Any:
        """Return the place of a part of the columns in the tile's tables."""
        return self.e.add(self.e.mul(row, self.e.whole(COLUMNS)), self.e.whole(p * self.e.lanes))

    def take_out(self, q: Any, first: Any, covariance: Cells, left: Cells) -> None:
        """Take the frames that y misses out of the rows' sums, and sums of squares."""
        e, b = self.e, self.e.builder
        for cell, lost in self.lost(q, self.lost_square, first, (e.whole(1), e.whole(0))):
            e.subtract_from(left[cell], e.get(left[cell]), lost)
        one = b.icmp_signed("==", self.d, e.whole(1))
        with b.if_else(one) as (single, vector):
            with single:  # the usual case, without a loop that keeps everything in memory
                self.coordinate(q, e.whole(0), first, (covariance, left))
            with vector, e.loop(self.d) as c:
                self.coordinate(q, c, first, (covariance, left))
        for r, p in e.cells():
            row = e.add(e.mul(q, e.whole(SLOTS)), self.slot(first, r))
            enough = b.fmul(e.load(self.count, self.column(row, p)), e.constant(ENOUGH))
            small = b.fcmp_ordered("<", e.get(left[r, p]), enough)
            e.keep(small, left[r, p], e.constant(0.0))

    def coordinate(self, q: Any, c: Any, first: Any, totals: tuple[Cells, Cells]) -> None:
        """Take out what one coordinate's sums make of the frames that are left."""
        e = self.e
        covariance, left = totals
        for (r, p), lost in self.lost(q, self.lost_sum, first, (self.d, c)):
            row = e.add(e.mul(e.add(e.mul(q, self.d), c), e.whole(SLOTS)), self.slot(first, r))
            own = e.load(self.sum, self.column(row, p))
            e.add_to(covariance[r, p], lost, own)
            e.subtract_from(left[r, p], lost, lost)

    def lost(
        self, q: Any, sums: Any, first: Any, row: tuple[Any, Any]
    ) -> Iterator[tuple[tuple[int, int], Any]]:
        """Yield (cell, what its row of x adds up to over the frames that its columns miss)."""
        e = self.e
        for p in range(e.parts):
            column = e.add(self.j, e.whole(p * e.lanes))
            places = []
            for lane in range(e.lanes):
                which = self.number(
                    self.which, e.add(e.mul(q, self.ny), e.add(column, e.whole(lane)))
                )
                place = e.add(e.mul(which, row[0]), row[1])
                places.append(e.add(e.mul(place, self.nx), first))
            for r, value in enumerate(e.transposed(sums, places)):
                yield (r, p), value

    def slot(self, first: Any, r: int) -> Any:
        """Return which table holds for a row."""
        row = self.e.builder.sub(self.e.add(first, self.e.whole(r)), self.i)
        return self.number(self.slots, row)

    def compare(
        self, total: tuple[Any, Any, Any], lag: Any, best: dict[str, Cells], cell: tuple[int, int]
    ) -> None:
        """Keep the larger fraction; one whose denominator is too small is 1/0, and stays."""
        e, b = self.e, self.e.builder
        covariance, left_x, left_y = total
        zero = e.constant(0.0)
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
