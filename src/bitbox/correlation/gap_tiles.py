"""The register tile for windows with missing frames.

Missing frames are 0 in the panels, so the sum of products is already that over the pairwise
complete frames. What is left is to take out of each signal's own sums the frames that only the
other one misses. What one signal misses is added up for all signals of the other person at once
(`gaps.find_lost`), in rows: what x misses in rows of y, which the tile reads as they are; what y
misses in rows of x, which it turns into columns.

With n common frames, everything is multiplied by n, so that nothing is divided. Comparing fractions
by cross-multiplication saves a division and a root for every lag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import COLUMNS, WIDE, Emitter

#: What r is set to where the corrections took away too much of a window to be accurate.
REDO = 3.0

#: The share of a window's variance that must be left.
ENOUGH = 0.35

#: Whether signals have one coordinate. As with register files, their types tell.
SINGLE, SEVERAL = (0,), (0, 0)

Cell = tuple[int, int]
Cells = dict[Cell, Any]


@intrinsic
def add_rows(typing, rows, frames, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill a row with the sum of two or more others; all are some times ROWS long.

    rows (rows, n); frames, of which at = (first, stop, offset, row) says which ones, how many rows
    behind them they are, and which row is to be filled.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, rows.dtype, wide=False)
        (pointer, n), (listed, _) = (e.data(signature.args[k], args[k]) for k in (0, 1))
        first, stop, offset, to = cgutils.unpack_tuple(builder, args[2])

        def begin(m: Any) -> Any:
            frame = builder.load(builder.gep(listed, [e.add(first, m)]))
            return e.mul(e.add(frame, offset), n)

        one, two, out = begin(e.whole(0)), begin(e.whole(1)), e.mul(to, n)
        more = builder.sub(builder.sub(stop, first), e.whole(2))
        with e.loop(builder.sdiv(n, e.whole(e.lanes))) as part:
            column = e.mul(part, e.whole(e.lanes))
            a, b = (e.load(pointer, e.add(row, column)) for row in (one, two))
            total = e.variable(builder.fadd(a, b))
            with e.loop(more) as m:
                value = e.load(pointer, e.add(begin(e.add(m, e.whole(2))), column))
                e.put(total, builder.fadd(e.get(total), value))
            e.store(e.get(total), pointer, e.add(out, column))
        return context.get_dummy_value()

    return types.void(rows, frames, at), codegen


@intrinsic
def imitation(typing, kinds, x, y, lost, which, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    kinds = (registers, SINGLE or SEVERAL coordinates), told by their types; x (frames * d, n1)
    normalised; y = (values (frames * d, n2), inverse norms (lags, n2), sums (lags * d, n2), sums of
    squares (lags, n2), counts (lags, n2)), by first frame, in units of the norms. lost = (x's
    values and squares, y's values, squares and absent frames, by row); which = (row of x (lags,
    n2), whether there is any (lags, n2 / COLUMNS), row of y (lags, n1), frames that x misses
    (n1,)): in these rows is what is lost to a signal by what the other misses. lags = (first frames
    of y, values); out = (r, lag), each (n1, n2); at = (i, j, frames, d, frames needed, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        wide, single = (k.count == len(n) for k, n in zip(kinds, (WIDE, SINGLE), strict=True))
        e = Emitter(context, builder, x.dtype, wide)
        GapTile(e, signature.args[1:], args[1:], single).emit()
        return context.get_dummy_value()

    return types.void(kinds, x, y, lost, which, lags, out, at), codegen


class GapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any, single: bool) -> None:
        self.e, self.single = e, single
        self.x, self.nx = e.data(kinds[0], args[0])
        y, lost, which = (e.tuple_data(kinds[k], args[k]) for k in (1, 2, 3))
        (self.y, self.inverse, self.sums, self.squares, self.counts), self.ny = _arrays(y), y[0][1]
        self.values_x, self.squares_x, self.values_y, self.squares_y, self.absent_y = _arrays(lost)
        (self.of_x, self.some, self.of_y, self.missed), self.n_tiles = _arrays(which), which[1][1]
        (self.starts, self.n_lags), (self.lags, _) = e.tuple_data(kinds[4], args[4])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[5], args[5])
        self.i, self.j, self.width, self.d, need, polarity = cgutils.unpack_tuple(
            e.builder, args[6]
        )
        self.d = e.whole(1) if single else self.d
        self.need = e.spread(e.builder.sitofp(need, e.real))
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

    def of_columns(self, array: Any, row: Any, p: int) -> Any:
        """Load a part of the tile's columns from a row of an array of n2 columns."""
        e = self.e
        column = e.add(self.j, e.whole(p * e.lanes))
        return e.load(array, e.add(e.mul(row, self.ny), column))

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
        corner = e.add(e.mul(e.mul(self.number(self.starts, q), self.d), self.ny), self.j)
        x, y = b.gep(self.x, [first]), b.gep(self.y, [corner])
        covariance = e.product(x, self.nx, y, self.ny, e.mul(self.width, self.d))
        tile = b.sdiv(self.j, e.whole(COLUMNS))
        some = self.number(self.some, e.add(e.mul(q, self.n_tiles), tile))
        for rows, columns in self.each_case(self.misses(first), some):
            self.finish(q, first, covariance, best, (rows, columns))

    def misses(self, first: Any) -> Any:
        """Return a number that is not 0 if any of the tile's rows misses frames."""
        e, b = self.e, self.e.builder
        total = ir.Constant(e.real, 0.0)
        for r in range(e.rows):
            total = b.fadd(total, self.number(self.missed, e.add(first, e.whole(r))))
        return b.fptosi(total, ir.IntType(64))

    def each_case(self, rows: Any, columns: Any) -> Iterator[tuple[bool, bool]]:
        """Write what follows for rows and for columns that miss frames, and that do not."""
        b, zero = self.e.builder, self.e.whole(0)
        with b.if_else(b.icmp_signed("!=", rows, zero)) as by_rows:
            for in_rows, branch in zip((True, False), by_rows, strict=True):
                with branch, b.if_else(b.icmp_signed("!=", columns, zero)) as by_columns:
                    for in_columns, inner in zip((True, False), by_columns, strict=True):
                        with inner:
                            yield in_rows, in_columns

    def finish(
        self, q: Any, first: Any, covariance: Cells, best: dict[str, Cells], gaps: tuple[bool, bool]
    ) -> None:
        """Take out what the rows, or the columns, miss; and keep what is better."""
        e = self.e
        count, left_x, left_y = (self.cells(0.0) for _ in range(3))
        for cell in e.cells():
            self.begin(q, first, cell, (covariance, count, left_x, left_y), gaps[0])
        if gaps[1]:
            for cell, lost in self.lost(q, self.squares_x, first, (e.whole(1), e.whole(0))):
                e.subtract_from(left_x[cell], lost, e.get(count[cell]))
        if gaps[0] or gaps[1]:
            for c in self.each_coordinate():
                self.coordinate(q, c, first, (covariance, left_x, left_y), gaps)
        lag = e.copy_of(self.lags, q)
        for cell in e.cells():
            values = (e.get(slots[cell]) for slots in (covariance, count, left_x, left_y))
            self.compare(tuple(values), lag, best, cell)

    def each_coordinate(self) -> Iterator[Any]:
        """Write what follows for every coordinate; a loop would keep everything in memory."""
        if self.single:
            yield self.e.whole(0)
            return
        with self.e.loop(self.d) as c:
            yield c

    def row_of_y(self, q: Any, first: Any, r: int) -> Any:
        """Return the row in which is what y loses by what a row of x misses."""
        row = self.e.add(first, self.e.whole(r))
        return self.number(self.of_y, self.e.add(self.e.mul(q, self.nx), row))

    def begin(self, q: Any, first: Any, cell: Cell, totals: tuple[Cells, ...], gaps: bool) -> None:
        """Set the common frames, and what the sums are before means are taken out."""
        e, b = self.e, self.e.builder
        (r, p), (covariance, count, left_x, left_y) = cell, totals
        f = self.number(self.starts, q)
        norm, common = self.of_columns(self.inverse, f, p), self.of_columns(self.counts, f, p)
        left = common  # y's squared norm, times the frames
        if gaps:
            row = self.row_of_y(q, first, r)
            missed = e.copy_of(self.missed, e.add(first, e.whole(r)))
            common = b.fadd(b.fsub(common, missed), self.of_columns(self.absent_y, row, p))
            square, whole = (
                self.of_columns(self.squares_y, row, p),
                self.of_columns(self.squares, f, p),
            )
            left = b.fmul(e.multiply_subtract(square, b.fmul(norm, norm), whole), common)
        e.put(covariance[cell], b.fmul(b.fmul(e.get(covariance[cell]), norm), common))
        for slots, value in ((count, common), (left_x, common), (left_y, left)):
            e.put(slots[cell], value)

    def coordinate(
        self, q: Any, c: Any, first: Any, totals: tuple[Cells, ...], gaps: tuple[bool, bool]
    ) -> None:
        """Take one coordinate's means over the common frames out."""
        e = self.e
        covariance, left_x, left_y = totals
        lost = dict(self.lost(q, self.values_x, first, (self.d, c))) if gaps[1] else {}
        f = self.number(self.starts, q)
        for r, p in e.cells():
            own = self.of_columns(self.sums, e.add(e.mul(f, self.d), c), p)
            if gaps[0]:
                row = e.add(e.mul(self.row_of_y(q, first, r), self.d), c)
                norm = self.of_columns(self.inverse, f, p)
                own = e.multiply_subtract(self.of_columns(self.values_y, row, p), norm, own)
                e.subtract_from(left_y[r, p], own, own)
            if gaps[1]:
                e.add_to(covariance[r, p], lost[r, p], own)
                e.subtract_from(left_x[r, p], lost[r, p], lost[r, p])

    def lost(
        self, q: Any, rows: Any, first: Any, row: tuple[Any, Any]
    ) -> Iterator[tuple[Cell, Any]]:
        """Yield (cell, what its row of x loses by what its columns of y miss)."""
        e = self.e
        for p in range(e.parts):
            column = e.add(e.mul(q, self.ny), e.add(self.j, e.whole(p * e.lanes)))
            places = []
            for lane in range(e.lanes):
                which = self.number(self.of_x, e.add(column, e.whole(lane)))
                place = e.add(e.mul(which, row[0]), row[1])
                places.append(e.add(e.mul(place, self.nx), first))
            for r, value in enumerate(e.transposed(rows, places)):
                yield (r, p), value

    def compare(
        self, totals: tuple[Any, ...], lag: Any, best: dict[str, Cells], cell: Cell
    ) -> None:
        """Keep the larger fraction; one whose denominator is too small is 1/0, and stays."""
        e, b = self.e, self.e.builder
        covariance, count, left_x, left_y = totals
        enough = b.fmul(count, e.constant(ENOUGH))
        small = b.or_(b.fcmp_ordered("<", left_x, enough), b.fcmp_ordered("<", left_y, enough))
        norm = b.select(small, e.constant(0.0), b.fmul(left_x, left_y))
        score = b.select(small, e.constant(1.0), b.fmul(covariance, e.absolute(covariance)))
        old, old_norm = e.get(best["score"][cell]), e.get(best["norm"][cell])
        size = e.masked(b.fmul(score, old_norm), self.sign)
        other = e.masked(b.fmul(old, norm), self.sign)
        # False where something is NaN, that is, undefined.
        better = b.and_(b.fcmp_ordered(">=", size, other), b.fcmp_ordered(">=", count, self.need))
        for name, value in (("score", score), ("norm", norm), ("lag", lag)):
            e.keep(better, best[name][cell], value)


def _arrays(pairs: list[tuple[Any, Any]]) -> list[Any]:
    return [address for address, _ in pairs]
