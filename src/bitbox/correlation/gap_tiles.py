"""The register tile for windows with missing frames.

Missing frames are 0 in the arrays, so the sum of products is already that over the pairwise
complete frames. What is left is to take out of each signal's own sums the frames that only the
other one misses; these are few, and lists of them drive the corrections. Comparing fractions by
cross-multiplication saves a division and a root for every lag.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter

#: What r is set to where the corrections took away too much of a window to be accurate.
REDO = 3.0

#: The share of a window's variance that must be left.
ENOUGH = 0.35

Cells = dict[tuple[int, int], Any]


@intrinsic
def imitation(typing, registers, x, y, sums, gaps, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    x = (normalised, squared), each (terms, n1); y = (values, squared) (rows, n2) and absent
    (frames, n2); sums = (inverse norms, sums (lags * d, n2), sums of squares, counts), (lags, n2)
    but for the second, the sums multiplied by the inverse norms; gaps = (first, frames, list,
    lowest, highest): frames[first[i]:first[i + 1]] of the window are those that signal i misses,
    list[lowest[q]:highest[q]] those frames of y's array that a signal of the tile misses in the
    window of lag q; lags = (first frames of y, values); out = (r, lag), each (n1, n2);
    at = (i, j, frames, d, need, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        GapTile(e, signature.args[1:], args[1:]).emit()
        return context.get_dummy_value()

    return types.void(registers, x, y, sums, gaps, lags, out, at), codegen


class GapTile:
    """One tile: the arrays it reads, and the recipe."""

    def __init__(self, e: Emitter, kinds: Any, args: Any) -> None:
        self.e = e
        (self.x, self.nx), (self.x2, _) = e.tuple_data(kinds[0], args[0])
        (self.y, self.ny), (self.y2, _), (self.absent, _) = e.tuple_data(kinds[1], args[1])
        tables = e.tuple_data(kinds[2], args[2])
        self.inverse, self.sum, self.sum2, self.count = (t[0] for t in tables)
        gaps = e.tuple_data(kinds[3], args[3])
        self.first, self.frames, self.listed, self.lowest, self.highest = (g[0] for g in gaps)
        (self.starts, self.n_lags), (self.lags, _) = e.tuple_data(kinds[4], args[4])
        (self.out_r, self.n_out), (self.out_lag, _) = e.tuple_data(kinds[5], args[5])
        self.i, self.j, self.width, self.d, self.need, polarity = cgutils.unpack_tuple(
            e.builder, args[6]
        )
        self.signless = e.builder.icmp_signed("!=", polarity, e.whole(0))
        one = ir.Constant(e.real, 1.0)
        self.per_coordinate = e.spread(e.builder.fdiv(one, e.builder.sitofp(self.d, e.real)))
        self.needed = e.spread(
            e.builder.fsub(e.builder.sitofp(self.need, e.real), ir.Constant(e.real, 0.5))
        )

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
        best = {
            "score": self.cells(float("nan")),
            "norm": self.cells(-1.0),
            "lag": self.cells(0.0),
        }
        with e.loop(self.n_lags) as q:
            self.lag(q, first, best)
        for cell in e.cells():
            score, norm = e.get(best["score"][cell]), e.get(best["norm"][cell])
            size = e.root(b.fdiv(e.absolute(score), norm))
            r = e.clipped(
                b.select(b.fcmp_ordered("<", score, e.constant(0.0)), e.negative(size), size)
            )
            redo = b.fcmp_ordered("==", norm, e.constant(0.0))
            e.put(best["score"][cell], b.select(redo, e.constant(REDO), r))
        e.store_cells(best["score"], self.out_r, first, self.j, self.n_out)
        e.store_cells(best["lag"], self.out_lag, first, self.j, self.n_out)

    def lag(self, q: Any, first: Any, best: dict[str, Cells]) -> None:
        """Correlate at one lag, and keep what is better; row by row, to need few registers."""
        e, b = self.e, self.e.builder
        start = self.number(self.starts, q)
        corner = e.add(e.mul(e.mul(start, self.d), self.ny), self.j)
        terms = e.mul(self.width, self.d)
        x, y = b.gep(self.x, [first]), b.gep(self.y, [corner])
        products = e.product(x, self.nx, y, self.ny, terms)
        place = e.add(e.mul(q, self.ny), self.j)
        inverse, squares, counts = (
            e.load_parts(table, place) for table in (self.inverse, self.sum2, self.count)
        )
        for r in range(e.rows):
            i = e.add(first, e.whole(r))
            low, high = self.number(self.first, i), self.number(self.first, e.add(i, e.whole(1)))
            rest = self.corrections(q, start, i, (low, high), inverse)
            missed = e.spread(b.sitofp(b.sub(high, low), e.real))
            for p in range(e.parts):
                both = b.fmul(e.get(rest["both"][p]), self.per_coordinate)
                count = b.fadd(b.fsub(counts[p], missed), both)
                squared = b.fmul(inverse[p], inverse[p])
                left_y = e.multiply_subtract(e.get(rest["lost"][p]), squared, squares[p])
                product = b.fmul(e.get(products[r, p]), inverse[p])
                total = [
                    e.multiply_add(count, value, e.get(rest[name][p]))
                    for value, name in (
                        (product, "xy"), (e.get(rest["left"][p]), "xx"), (left_y, "yy")
                    )
                ]  # fmt: skip
                self.compare(count, total, e.copy_of(self.lags, q), best, (r, p))

    def corrections(
        self, q: Any, start: Any, i: Any, missed: tuple[Any, Any], inverse: Any
    ) -> dict[str, list[Any]]:
        """Return what row i's sums lose by the frames that only one of a pair misses.

        Of x: 'left', its sum of squares. Of y: 'lost' from its sum of squares. 'both': frames that
        both miss (times d). And minus the products of the sums: 'xy', 'xx', 'yy'.
        """
        e, b = self.e, self.e.builder
        sums = {
            name: [e.variable(e.constant(value)) for _ in range(e.parts)]
            for name, value in (
                ("left", 1.0), ("lost", 0.0), ("both", 0.0), ("xy", 0.0), ("xx", 0.0), ("yy", 0.0)
            )
        }  # fmt: skip
        low, high = self.number(self.lowest, q), self.number(self.highest, q)
        with e.loop(self.d) as c:
            sum_x = [e.variable(e.constant(0.0)) for _ in range(e.parts)]
            with e.loop(b.sub(high, low)) as step:
                frame = self.number(self.listed, e.add(low, step))
                absent = e.load_parts(self.absent, e.add(e.mul(frame, self.ny), self.j))
                k = e.add(e.mul(b.sub(frame, start), self.d), c)
                place = e.add(e.mul(k, self.nx), i)
                one, two = e.copy_of(self.x, place), e.copy_of(self.x2, place)
                for p in range(e.parts):
                    e.subtract_from(sum_x[p], one, absent[p])
                    e.subtract_from(sums["left"][p], two, absent[p])
            whole = e.load_parts(
                self.sum, e.add(e.mul(e.add(e.mul(q, self.d), c), self.ny), self.j)
            )
            lost = [e.variable(e.constant(0.0)) for _ in range(e.parts)]
            with e.loop(b.sub(missed[1], missed[0])) as step:
                frame = e.add(start, self.number(self.frames, e.add(missed[0], step)))
                place = e.add(e.mul(e.add(e.mul(frame, self.d), c), self.ny), self.j)
                gap = e.add(e.mul(frame, self.ny), self.j)
                for slots, values in (
                    (lost, e.load_parts(self.y, place)),
                    (sums["lost"], e.load_parts(self.y2, place)),
                    (sums["both"], e.load_parts(self.absent, gap)),
                ):
                    for p in range(e.parts):
                        e.put(slots[p], b.fadd(e.get(slots[p]), values[p]))
            for p in range(e.parts):
                sum_y = e.multiply_subtract(e.get(lost[p]), inverse[p], whole[p])
                x = e.get(sum_x[p])
                e.subtract_from(sums["xy"][p], x, sum_y)
                e.subtract_from(sums["xx"][p], x, x)
                e.subtract_from(sums["yy"][p], sum_y, sum_y)
        return sums

    def compare(
        self, count: Any, total: list[Any], lag: Any, best: dict[str, Cells], cell: tuple[int, int]
    ) -> None:
        """Keep the larger fraction; one whose denominator is too small is 1/0, and stays."""
        e, b = self.e, self.e.builder
        covariance, var_x, var_y = total
        # Ordered comparisons: false where something is NaN, that is, undefined.
        counted = b.fcmp_ordered(">", count, self.needed)
        floor = b.fmul(count, e.constant(ENOUGH))
        small = b.or_(b.fcmp_ordered("<", var_x, floor), b.fcmp_ordered("<", var_y, floor))
        norm = b.select(small, e.constant(0.0), b.fmul(var_x, var_y))
        score = b.fmul(covariance, e.absolute(covariance))
        score = b.select(small, e.constant(1.0), score)
        old, old_norm = e.get(best["score"][cell]), e.get(best["norm"][cell])
        mine, theirs = b.fmul(score, old_norm), b.fmul(old, norm)
        size = b.select(self.signless, e.absolute(mine), mine)
        other = b.select(self.signless, e.absolute(theirs), theirs)
        new = b.fcmp_ordered("<", old_norm, e.constant(0.0))
        known = b.and_(counted, b.fcmp_ordered("ord", score, score))
        better = b.and_(known, b.or_(new, b.fcmp_ordered(">", size, other)))
        for name, value in (("score", score), ("norm", norm), ("lag", lag)):
            e.keep(better, best[name][cell], value)
