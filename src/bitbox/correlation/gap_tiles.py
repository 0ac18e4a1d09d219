"""The register tile for windows with missing frames.

Missing frames are 0 in the panels, so the sum of products is already that over the pairwise
complete frames. What is left is to take out of each signal's own sums the frames that only the
other one misses. These are rows of the other's panel, one or two, or the sum of more, which is
added up once for all signals (`gaps.find_lost`). What x misses are rows of y, which the tile reads
as they are; what y misses are rows of x, which it turns into columns.

With n common frames,

    cov = sum(x y) - sx sy / n,  var x = sum(x x) - sx sx / n,  var y likewise,

and r is a fraction. Comparing fractions by cross-multiplication saves a division and a root for
every lag, and a factor that both parts of one have does no harm. Where only x misses frames, its
sum is 0; where only y does, its variance is that of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import COLUMNS, WIDE, Emitter

#: What r is set to where the corrections took away too much of a window to be accurate.
REDO = 3.0

#: What must be left of the product of both windows' variances, as a share.
ENOUGH = 0.25

#: Whether signals have one coordinate. As with register files, their types tell.
SINGLE, SEVERAL = (0,), (0, 0)

Cell = tuple[int, int]
Cells = dict[Cell, Any]


@intrinsic
def add_rows(typing, rows, frames, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill rows with the sums of two or more frames.

    rows = (values (rows * d, n), n being some times ROWS: a row is d rows of this array; their
    squares, over all coordinates (rows, n); and, if there is a third, other values (rows, n)).
    frames, of which at = (first, stop, offset, row of values, row of squares, d) says which ones,
    how many rows behind them they are, and which rows to fill.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]  # noqa: ARG001
        e = Emitter(context, builder, rows.types[0].dtype, wide=False)
        arrays, (listed, _) = e.tuple_data(rows, args[0]), e.data(frames, args[1])
        (values, n), (squares, _) = arrays[:2]
        first, stop, offset, to, other, d = cgutils.unpack_tuple(builder, args[2])
        more, hop = builder.sub(builder.sub(stop, first), e.whole(2)), e.mul(d, n)

        def load(source: Any, m: Any, hop: Any, place: Any) -> Any:
            frame = builder.load(builder.gep(listed, [e.add(first, m)]))
            return e.load(source, e.add(e.mul(e.add(frame, offset), hop), place))

        def add(source: Any, hop: Any, place: Any, square: Any = None) -> None:
            one, two = (load(source, e.whole(m), hop, place) for m in (0, 1))
            total = e.variable(builder.fadd(one, two))
            if square is not None:
                e.add_to(square, one, one)
                e.add_to(square, two, two)
            with e.loop(more) as m:
                value = load(source, e.add(m, e.whole(2)), hop, place)
                e.put(total, builder.fadd(e.get(total), value))
                if square is not None:
                    e.add_to(square, value, value)
            e.store(e.get(total), source, e.add(e.mul(to, hop), place))

        with e.loop(builder.sdiv(n, e.whole(e.lanes))) as part:
            column = e.mul(part, e.whole(e.lanes))
            square = e.variable(e.constant(0.0))
            with e.loop(d) as c:
                add(values, hop, e.add(e.mul(c, n), column), square)
            e.store(e.get(square), squares, e.add(e.mul(other, n), column))
            for source, _ in arrays[2:]:
                add(source, n, column)
        return context.get_dummy_value()

    return types.void(rows, frames, at), codegen


@intrinsic
def imitation(typing, kinds, x, y, lost_x, lost_y, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    kinds = (registers, SINGLE or SEVERAL coordinates), told by their types; x (frames * d, n1)
    normalised; y = (values (frames * d, n2), sums (lags * d, n2) and squares (lags, n2) of the
    windows' values, their squared norms (lags, n2), counts (lags, n2)), by first frame; squares and
    norms are NaN where a window is undefined. Behind the frames of x and of y there are a row of 0
    and what `add_rows` made.

    lost_x and lost_y are `gaps.LostX` and `gaps.LostY`. lags = (first frames of y, values); out =
    (r, lag), each (n1, n2); at = (i, j, frames, d, frames needed, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        wide, single = (k.count == len(n) for k, n in zip(kinds, (WIDE, SINGLE), strict=True))
        e = Emitter(context, builder, x.dtype, wide)
        GapTile(e, signature.args[1:], args[1:], single).emit()
        return context.get_dummy_value()

    return types.void(kinds, x, y, lost_x, lost_y, lags, out, at), codegen


class GapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any, single: bool) -> None:
        self.e, self.single = e, single
        self.x, self.nx = e.data(kinds[0], args[0])
        y, lost_x, lost_y = (e.tuple_data(kinds[k], args[k]) for k in (1, 2, 3))
        (self.y, self.sums, self.squares, self.norms, self.counts), self.ny = _arrays(y), y[0][1]
        self.of_x, self.squares_x, self.one_x, self.some = _arrays(lost_x)
        self.of_y, self.squares_y, self.one_y, *others = _arrays(lost_y)
        self.absent, self.missed, self.shares = others
        self.n_tiles = lost_x[3][1]
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

    def column(self, p: int) -> Any:
        """Return the first column of a part of the tile."""
        return self.e.add(self.j, self.e.whole(p * self.e.lanes))

    def of_columns(self, array: Any, row: Any, p: int) -> Any:
        """Load a part of the tile's columns from a row of an array of n2 columns."""
        return self.e.load(array, self.e.add(self.e.mul(row, self.ny), self.column(p)))

    def rows(self, first: Any) -> None:
        """Choose for some rows; a fraction is kept as signed numerator and denominator."""
        e, b = self.e, self.e.builder
        nan, never = e.constant(float("nan")), e.every(ir.Constant(ir.IntType(1), 0))
        best = {"norm": self.cells(1.0), "lag": self.cells(float("nan"))}
        best["score"] = {cell: e.variable(self.worst) for cell in e.cells()}
        best["small"] = {cell: cgutils.alloca_once_value(b, never) for cell in e.cells()}
        with e.loop(self.n_lags) as q:
            # From the last to the first, which a tie prefers.
            self.lag(b.sub(b.sub(self.n_lags, e.whole(1)), q), first, best)
        for cell in e.cells():
            score, norm, lag = (e.get(best[name][cell]) for name in ("score", "norm", "lag"))
            size = e.root(b.fdiv(e.absolute(score), norm))
            r = e.clipped(
                b.select(b.fcmp_ordered("<", score, e.constant(0.0)), e.negative(size), size)
            )
            r = b.select(b.fcmp_ordered("ord", lag, lag), r, nan)
            r = b.select(b.load(best["small"][cell]), e.constant(REDO), r)
            e.put(best["score"][cell], r)
        e.store_cells(best["score"], self.out_r, first, self.j, self.n_out)
        e.store_cells(best["lag"], self.out_lag, first, self.j, self.n_out)

    def lag(self, q: Any, first: Any, best: dict[str, Cells]) -> None:
        """Correlate at one lag, and keep what is better."""
        e, b = self.e, self.e.builder
        f = self.number(self.starts, q)
        corner = e.add(e.mul(e.mul(f, self.d), self.ny), self.j)
        x, y = b.gep(self.x, [first]), b.gep(self.y, [corner])
        covariance = e.product(x, self.nx, y, self.ny, e.mul(self.width, self.d))
        tile = e.add(e.mul(q, self.n_tiles), b.sdiv(self.j, e.whole(COLUMNS)))
        lag = e.copy_of(self.lags, q)
        for gaps in self.each_case(self.misses(first), self.number(self.some, tile)):
            between = self.between((q, f, first), gaps)
            for cell in e.cells():  # one after another, so that registers suffice
                at, own = (q, f, first, cell), e.get(covariance[cell])
                self.compare(self.fraction(at, own, between(cell), gaps), lag, best, cell)

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

    def between(
        self, at: tuple[Any, Any, Any], gaps: tuple[bool, bool]
    ) -> Callable[[Cell], list[Any]]:
        """Return a function for what cells need besides products: see `terms`."""
        e, (q, _, first) = self.e, at
        many = self.lost_if(2, self.squares_x, q, first) if gaps[1] else {}

        def lost(c: Any) -> tuple[Cells, Cells]:
            if not gaps[1]:
                return {}, {}
            x = e.builder.gep(self.x, [e.mul(c, self.nx)])
            return self.lost(x, q, first), self.lost_if(1, x, q, first)

        if self.single:
            rows = lost(e.whole(0))
            return lambda cell: [*self.terms(at, e.whole(0), cell, rows, gaps), many.get(cell)]
        slots = [self.cells(0.0) for _ in range(5)]
        with e.loop(self.d) as c:
            rows = lost(c)
            for cell in e.cells():
                values = self.terms(at, c, cell, rows, gaps)
                for slot, value in zip(slots, values, strict=True):
                    if value is not None:
                        e.put(slot[cell], e.builder.fadd(e.get(slot[cell]), value))
        return lambda cell: [*(e.get(slot[cell]) for slot in slots), many.get(cell)]

    def terms(
        self,
        at: tuple[Any, Any, Any],
        c: Any,
        cell: Cell,
        lost: tuple[Cells, Cells],
        gaps: tuple[bool, bool],
    ) -> list[Any]:
        """Return products of one coordinate's sums over the common frames, None if not needed.

        These are of x's and y's, of x's, and of y's, and then the squares of what x and what y
        lose, if that is one frame or two. x's sum is what it loses, with the other sign.
        """
        e, b, (q, f, first) = self.e, self.e.builder, at
        own = self.of_columns(self.sums, e.add(e.mul(f, self.d), c), cell[1])
        along = xx = yy = squares_x = squares_y = None
        if gaps[0]:
            one, two = (
                self.of_columns(
                    self.y,
                    e.add(e.mul(self.of_row(k, q, first, cell), self.d), c),
                    cell[1],
                )
                for k in (0, 1)
            )
            alone = e.copy_of(self.one_y, e.add(first, e.whole(cell[0])))
            squares_y = e.multiply_add(b.fmul(one, alone), one, b.fmul(two, two))
            own = b.fsub(b.fsub(own, one), two)
            yy = e.times(own, own)
        if gaps[1]:
            one, two = (rows[cell] for rows in lost)
            alone = self.of_columns(self.one_x, q, cell[1])
            squares_x = e.multiply_add(b.fmul(one, alone), one, b.fmul(two, two))
            sum_x = b.fadd(one, two)
            along, xx = e.times(sum_x, own), e.times(sum_x, sum_x)
        return [along, xx, yy, squares_x, squares_y]

    def of_row(self, k: int, q: Any, first: Any, cell: Cell) -> Any:
        """Return the k-th of the numbers of rows that belong to a row of the tile."""
        e = self.e
        row = e.add(first, e.whole(cell[0]))
        return self.number(self.of_y, e.add(e.mul(self.row(k, q), self.nx), row))

    def row(self, k: int, q: Any) -> Any:
        """Return the row of a lag in the k-th of some tables that lie below each other."""
        return self.e.add(self.e.mul(self.e.whole(k), self.n_lags), q)

    def fraction(
        self, at: Any, covariance: Any, between: list[Any], gaps: tuple[bool, bool]
    ) -> tuple[Any, Any, Any, Any]:
        """Return covariance, variances, whether these are too small, and whether frames suffice.

        The fraction of the squared covariance and the variances is right; they may have a common
        factor. Where only one of the two misses frames, it has as many as it needs, or is NaN.
        """
        e, b, (q, f, first, cell) = self.e, self.e.builder, at
        along, xx, yy, squares_x, squares_y, many = between
        norm = self.of_columns(self.norms, f, cell[1])
        row = e.add(first, e.whole(cell[0]))
        one, enough = e.constant(1.0), e.constant(ENOUGH)
        if gaps[0]:
            more = self.of_columns(self.squares_y, self.of_row(2, q, first, cell), cell[1])
            left_y = b.fsub(b.fsub(self.of_columns(self.squares, f, cell[1]), squares_y), more)
        if not gaps[1]:
            if not gaps[0]:
                return covariance, norm, None, None
            left_y = e.less(left_y, e.times(yy, e.copy_of(self.shares, row)))
            return covariance, left_y, b.fcmp_ordered("<", left_y, b.fmul(norm, enough)), None
        count, squares_x = self.of_columns(self.counts, f, cell[1]), b.fadd(squares_x, many)
        if not gaps[0]:
            share = b.fdiv(one, count)
            left_x = e.less(b.fsub(one, squares_x), e.times(xx, share))
            covariance = e.plus(covariance, e.times(along, share))
            return covariance, b.fmul(left_x, norm), b.fcmp_ordered("<", left_x, enough), None
        absent = [
            self.of_columns(self.absent, self.of_row(k, q, first, cell), cell[1]) for k in (0, 1)
        ]
        count = b.fsub(count, e.copy_of(self.missed, row))
        count = b.fadd(b.fadd(count, absent[0]), absent[1])
        covariance = e.plus(along, e.times(covariance, count))
        left_x = e.less(e.less(count, e.times(squares_x, count)), xx)
        left = b.fmul(left_x, e.less(e.times(left_y, count), yy))
        least = b.fmul(b.fmul(norm, enough), b.fmul(count, count))
        suffice = b.fcmp_ordered(">=", count, self.need)
        return covariance, left, b.fcmp_ordered("<", left, least), suffice

    def lost(self, pointer: Any, row: Any, first: Any) -> Cells:
        """Return what each cell's row of x loses by what its column of y misses.

        Where that is, a row of the table of places says.
        """
        e = self.e
        columns = []
        for p in range(e.parts):
            column = e.add(e.mul(row, self.ny), self.column(p))
            places = (self.number(self.of_x, e.add(column, e.whole(k))) for k in range(e.lanes))
            columns.append(e.transposed(pointer, [e.add(place, first) for place in places]))
        return {(r, p): columns[p][r] for r, p in e.cells()}

    def lost_if(self, k: int, pointer: Any, q: Any, first: Any) -> Cells:
        """Return what `lost` does by the k-th table of places if any column needs it, else 0."""
        e, b = self.e, self.e.builder
        slots, row = self.cells(0.0), self.row(k, q)
        tile = e.add(e.mul(row, self.n_tiles), b.sdiv(self.j, e.whole(COLUMNS)))
        with b.if_then(b.icmp_signed("!=", self.number(self.some, tile), e.whole(0))):
            for cell, value in self.lost(pointer, row, first).items():
                e.put(slots[cell], value)
        return {cell: e.get(slot) for cell, slot in slots.items()}

    def compare(
        self, found: tuple[Any, Any, Any, Any], lag: Any, best: dict[str, Cells], cell: Cell
    ) -> None:
        """Keep the larger fraction, and whether too little is left of a window."""
        e, b = self.e, self.e.builder
        covariance, norm, small, enough = found
        if small is not None:
            flag = best["small"][cell]
            b.store(b.or_(b.load(flag), small if enough is None else b.and_(small, enough)), flag)
        score = b.fmul(covariance, e.absolute(covariance))
        old, old_norm = e.get(best["score"][cell]), e.get(best["norm"][cell])
        size = e.masked(b.fmul(score, old_norm), self.sign)
        other = e.masked(b.fmul(old, norm), self.sign)
        # False where something is NaN, that is, undefined.
        better = b.fcmp_ordered(">=", size, other)
        better = better if enough is None else b.and_(better, enough)
        for name, value in (("score", score), ("norm", norm), ("lag", lag)):
            e.keep(better, best[name][cell], value)


def _arrays(pairs: list[tuple[Any, Any]]) -> list[Any]:
    return [address for address, _ in pairs]
