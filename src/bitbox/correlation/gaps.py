"""The register tile for windows with missing frames, of imitation and of coordination.

Missing frames are 0, so the sum of products is already that over the frames that both have. What is
left is to take out of each signal's own sums the frames that only the other one misses. These are
few: a tile goes through the frames that some of its signals miss, and no others. With n common
frames and sums over them,

    r^2 = (n sum(x y) - sx sy)^2 / ((n sum(x x) - sx^2) (n sum(y y) - sy^2)).

Those that lie off the centre, or move little beside others, are done by the same recipe in float64.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.geometry import COLUMNS, ONE, ROWS, STAYING, WIDE
from bitbox.correlation.moments import panel_of
from bitbox.correlation.sliding import ShiftTile
from bitbox.correlation.vectors import Cells, Emitter, apart


@intrinsic
def choose(typing, kinds, block, lists, order, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs with missing frames.

    kinds = (registers, STAYING or MOVING, ONE or SEVERAL coordinates), told by their types; block,
    lists : of a `moments.Room`; order (lags or net lags,), the preferred first; out = (r, lag,
    whether too little of a window is left for that to be accurate), each (n1, n2); at = (i, j,
    column of y's tile in the block, width, shifts, d, lowest lag, frames needed, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        wide, staying, one = (
            k.count == len(n) for k, n in zip(kinds, (WIDE, STAYING, ONE), strict=True)
        )
        tile = _GapTile if staying else _SlideGapTile

        def write(inner: Any, values: Any) -> None:
            e = Emitter(context, inner, block.dtype, wide)
            tile(e, signature.args[1:], values[1:], one).emit()

        apart(builder, args, f"gaps {signature}", write)
        return context.get_dummy_value()

    return types.void(kinds, block, lists, order, out, at), codegen


class _GapTile(ShiftTile):
    """The recipe of `choose`."""

    def __init__(self, e: Emitter, kinds: Any, args: Any, single: bool) -> None:
        at, out = cgutils.unpack_tuple(e.builder, args[4]), e.tuple_data(kinds[3], args[3])
        self.i, self.j, corner_y, *sizes, self.low, need, polarity = at
        super().__init__(e, e.data(kinds[2], args[2]), out, polarity)
        self.single = single
        self.width, self.shifts, d = sizes
        self.d = e.whole(1) if single else d
        self.redo = out[2][0]
        block, self.n = e.data(kinds[0], args[0])
        self.x, self.work = panel_of(e, block, self.n, e.whole(0), sizes)
        self.y, _ = panel_of(e, block, self.n, corner_y, sizes)
        self.tables = e.data(kinds[1], args[1])
        # the lists of x's tiles come first: those of the columns before y's
        before = e.builder.sub(corner_y, self.j)
        self.tiles_x = e.builder.sdiv(before, e.whole(ROWS))
        self.need = e.number(need)
        self.frames = e.number(self.width)
        self.left: Cells = {}

    def rows(self, first: Any) -> None:
        """Choose for some rows, and tell where too little is left."""
        e = self.e
        self.left = e.fresh(float("inf"))
        self.best(first)
        for (r, p), slot in self.left.items():
            row = e.mul(e.add(first, e.whole(r)), self.n_out)
            place = e.add(row, e.add(self.j, e.whole(p * e.lanes)))
            small = e.builder.fcmp_ordered("<", e.get(slot), e.constant(0.0))
            e.store_flags(small, self.redo, place)

    def best(self, first: Any) -> None:
        """Choose among the lags; fractions are compared without dividing."""
        e, b = self.e, self.e.builder
        worst = b.select(self.signless, e.constant(0.0), e.constant(-2.0))
        score = {cell: e.variable(worst) for cell in e.cells()}
        norm, chosen = e.fresh(1.0), e.fresh(float("nan"))
        mask = e.sign_mask(self.signless)
        with e.loop(self.n_lags) as q:
            # From the last to the first, which a tie prefers.
            q = b.sub(b.sub(self.n_lags, e.whole(1)), q)
            own = b.load(b.gep(self.order, [q]))
            at, lag = (e.whole(0), b.sub(own, self.low)), e.number(own)
            for cell, (new, new_norm) in self.fractions(self.first_sums(at, first), at, first):
                old, old_norm = e.get(score[cell]), e.get(norm[cell])
                one = e.masked(b.fmul(new, old_norm), mask)
                two = e.masked(b.fmul(old, new_norm), mask)
                better = b.fcmp_ordered(">=", one, two)  # not where one is undefined
                for slots, value in ((score, new), (norm, new_norm), (chosen, lag)):
                    e.keep(better, slots[cell], value)
        nan = e.constant(float("nan"))
        for cell in e.cells():
            r = self.root(b.fdiv(e.get(score[cell]), e.get(norm[cell])))
            known = b.fcmp_ordered("ord", e.get(chosen[cell]), e.get(chosen[cell]))
            e.put(score[cell], b.select(known, e.clipped(r), nan))
        e.store_cells(score, self.out_r, first, self.j, self.n_out)
        e.store_cells(chosen, self.out_lag, first, self.j, self.n_out)

    def root(self, value: Any) -> Any:
        """Return the root of magnitudes, with their signs."""
        e, b = self.e, self.e.builder
        size = e.root(e.absolute(value))
        return b.select(b.fcmp_ordered("<", value, e.constant(0.0)), e.negative(size), size)

    def first_sums(self, at: Any, first: Any) -> dict[str, Cells]:
        """Return the sums of the first windows."""
        sums = {"xy": self.products(at, first, self.e.mul(self.width, self.d))}
        self.lost(sums, at, first)
        return sums

    def pair(self, name_x: str, name_y: str, at: Any, first: Any, c: Any = None) -> Any:
        """Return what `Emitter.step` takes of two arrays: frames, or a coordinate of frames."""
        e, b, sides = self.e, self.e.builder, []
        for panel, name, row, corner in (
            (self.x, name_x, at[0], first), (self.y, name_y, at[1], e.whole(0)),
        ):  # fmt: skip
            array, hop = getattr(panel, name), self.n
            if name == "values":
                hop = e.mul(self.d, hop)
                corner = e.add(corner, e.mul(c, self.n))
            sides.append((b.gep(array, [corner]), hop, row))
        return sides

    def terms(self, at: Any, first: Any, c: Any) -> list[tuple[str, int, Any]]:
        """Return what missing frames change: the sum, whose list (0 x's, 1 y's), the products."""
        if c is None:
            return [
                ("both", 0, self.pair("missing", "missing", at, first)),
                ("xx", 1, self.pair("energies", "missing", at, first)),
                ("yy", 0, self.pair("missing", "energies", at, first)),
            ]
        return [
            ("x", 1, self.pair("values", "missing", at, first, c)),
            ("y", 0, self.pair("missing", "values", at, first, c)),
        ]

    def lists(self, first: Any) -> list[tuple[Any, Any]]:
        """Return the addresses of the lists of x's and y's tile, and of how many come before."""
        e, b, found = self.e, self.e.builder, []
        table, length = self.tables
        own = b.sdiv(first, e.whole(ROWS)), b.sdiv(self.j, e.whole(COLUMNS))
        frames = b.sdiv(length, e.whole(2))
        for tile in (own[0], e.add(self.tiles_x, own[1])):
            listed = b.gep(table, [e.mul(tile, length)])
            found.append((listed, b.gep(listed, [frames])))
        return found

    def lost(self, sums: dict[str, Cells], at: Any, first: Any) -> None:
        """Add up what the first windows lose."""
        e, b = self.e, self.e.builder
        spans = []
        for (listed, before), begin in zip(self.lists(first), at, strict=True):
            start = b.load(b.gep(before, [begin]))
            stop = b.load(b.gep(before, [e.add(begin, self.width)]))
            spans.append((listed, start, b.sub(stop, start)))

        own = (e.whole(0),) if self.single else ()
        for c in (None, *own):
            for k, which in enumerate((0, 1, 0) if c is None else (1, 0)):
                # Frames are those of one person's stretch; the other's lie some shifts from them.
                apart = [b.sub(begin, at[which]) for begin in at]
                name, _, pair = self.terms(apart, first, c)[k]
                (sums[name],) = e.listed([pair], *spans[which])
        if self.single:
            return
        with e.loop(self.d) as c:
            for k, (_, which, _) in enumerate(self.terms(at, first, c)):
                apart = [b.sub(begin, at[which]) for begin in at]
                (found,) = e.listed([self.terms(apart, first, c)[k][2]], *spans[which])
                for cell, slot in found.items():
                    e.store(e.get(slot), self.work, self.lost_of(c, k, cell))

    def lost_of(self, c: Any, k: int, cell: tuple[int, int]) -> Any:
        """Return the place of a cell's sum of a coordinate: what x loses (0), or y (1)."""
        return self.place(self.e.add(self.e.add(c, c), self.e.whole(k)), cell)

    def fractions(self, sums: dict[str, Cells], at: Any, first: Any) -> Any:
        """Yield, for each cell, r times its magnitude as a fraction.

        It is NaN where there are too few common frames.
        """
        x, y = self.own(at, first)
        if self.single:
            for cell in self.e.cells():
                own = x[cell[0]], y[cell[1]]
                values = self.begun(sums, own, cell)
                values = self.take_out(values, sums, own, cell, self.e.whole(0))
                yield cell, self.fraction(values, own, cell)
            return
        slots = {}
        for cell in self.e.cells():
            values = self.begun(sums, (x[cell[0]], y[cell[1]]), cell)
            slots[cell] = [self.e.variable(value) for value in values]
        with self.e.loop(self.d) as c:
            for cell, kept in slots.items():
                values = [self.e.get(slot) for slot in kept]
                values = self.take_out(values, sums, (x[cell[0]], y[cell[1]]), cell, c)
                for slot, value in zip(kept, values, strict=True):
                    self.e.put(slot, value)
        for cell, kept in slots.items():
            values = [self.e.get(slot) for slot in kept]
            yield cell, self.fraction(values, (x[cell[0]], y[cell[1]]), cell)

    def begun(self, sums: dict[str, Cells], own: Any, cell: Any) -> list[Any]:
        """Return the common frames n, and n times the sums of products and of squares over them.

        Where they are too few, all of it is NaN.
        """
        e, b, (x, y) = self.e, self.e.builder, own
        n = self.common(sums, own, cell)
        enough = b.fcmp_ordered(">=", n, self.need)
        n = b.select(enough, n, e.constant(float("nan")))
        xx = b.fsub(x("squares"), e.get(sums["xx"][cell]))
        yy = b.fsub(y("squares"), e.get(sums["yy"][cell]))
        return [n, *(b.fmul(n, value) for value in (e.get(sums["xy"][cell]), xx, yy))]

    def common(self, sums: dict[str, Cells], own: Any, cell: Any) -> Any:
        """Return how many frames both have."""
        e, (x, y) = self.e, own
        n = e.builder.fadd(x("counts"), e.builder.fsub(y("counts"), self.frames))
        return e.builder.fadd(n, e.get(sums["both"][cell]))

    def take_out(
        self, values: list[Any], sums: dict[str, Cells], own: Any, cell: Any, c: Any
    ) -> list[Any]:
        """Take out the products of a coordinate's sums."""
        e, b, (n, xy, xx, yy) = self.e, self.e.builder, values
        lost = [
            e.get(sums[name][cell]) if self.single else e.load(self.work, self.lost_of(c, k, cell))
            for k, name in enumerate("xy")
        ]
        x, y = (b.fsub(look("sums", c), gone) for look, gone in zip(own, lost, strict=True))
        pairs = (x, y, xy), (x, x, xx), (y, y, yy)
        return [n, *(e.multiply_subtract(*pair) for pair in pairs)]

    def fraction(self, values: list[Any], own: Any, cell: Any) -> tuple[Any, Any]:
        """Return numerator and denominator; note how much more is left than there has to be.

        Where it is less than nothing, the pair is done again, whatever is chosen here.
        """
        e, b, (n, xy, xx, yy) = self.e, self.e.builder, values
        variances = b.fmul(xx, yy)
        least = b.fmul(n, own[0]("least")), b.fmul(n, own[1]("least"))
        left, slot = e.multiply_subtract(*least, variances), self.left[cell]
        e.keep(b.fcmp_ordered("<", left, e.get(slot)), slot, left)
        return b.fmul(xy, e.absolute(xy)), variances

    def own(self, at: Any, first: Any) -> tuple[list[Any], list[Any]]:
        """Return, for each row and each part of the columns, what looks up its own moments."""
        e = self.e

        def place(shift: Any, c: Any, corner: Any) -> Any:
            row = shift if c is None else e.add(e.mul(shift, self.d), c)
            return e.add(e.mul(row, self.n), corner)

        def of_row(r: int) -> Any:
            def look(name: str, c: Any = None) -> Any:
                corner = place(at[0], c, e.add(first, e.whole(r)))
                return e.copy_of(getattr(self.x, name), corner)

            return look

        def of_part(p: int) -> Any:
            def look(name: str, c: Any = None) -> Any:
                corner = place(at[1], c, e.whole(p * e.lanes))
                return e.load(getattr(self.y, name), corner)

            return look

        return [of_row(r) for r in range(e.rows)], [of_part(p) for p in range(e.parts)]


class _SlideGapTile(_GapTile):
    """The same where both windows move: all sums slide over the shifts of a lag."""

    def __init__(self, e: Emitter, kinds: Any, args: Any, single: bool) -> None:
        e.rows //= 2  # so that more of the sums stay in registers
        super().__init__(e, kinds, args, single)

    def best(self, first: Any) -> None:
        """Choose among the lags and shifts."""
        ShiftTile.rows(self, first)

    def correlation(self, value: Any) -> Any:
        """Return the root; what is compared is r times its magnitude."""
        return self.root(value)

    def correlate(
        self, sums: dict[str, Cells], at: Any, first: Any, found: tuple[Cells, Cells]
    ) -> None:
        """Turn sums over the common frames into r times its magnitude, and keep the extremes."""
        for cell, (score, norm) in self.fractions(sums, at, first):
            self.keep_extremes(self.e.builder.fdiv(score, norm), cell, found)

    def first(self, at: Any, first: Any) -> dict[str, Cells]:
        """Return what the first windows lose."""
        sums: dict[str, Cells] = {}
        self.lost(sums, at, first)
        x, y = self.own(at, first)
        sums["n"] = {}
        for r, p in self.e.cells():
            n = super().common(sums, (x[r], y[p]), (r, p))
            sums["n"][r, p] = self.e.variable(n)
        return sums

    def common(self, sums: dict[str, Cells], own: Any, cell: Any) -> Any:  # noqa: ARG002
        """Return how many frames both have, which slides, too."""
        return self.e.get(sums["n"][cell])

    def count(self, n: Cells, which: int, at: Any, first: Any, change: Any) -> None:
        """Take from the common frames what a frame loses, or give it back.

        Of what x misses (0) that is what y has of it; of what y misses (1) all, so that nothing is
        taken twice.
        """
        e, one = self.e, self.e.constant(1.0)
        ys = e.load_parts(self.y.missing, e.mul(at[1], self.n))
        for r, p in e.cells():
            if which == 1:
                change(n[r, p], e.constant(-1.0), ys[p])
            else:
                place = e.add(e.mul(at[0], self.n), e.add(first, e.whole(r)))
                change(n[r, p], e.copy_of(self.x.missing, place), e.builder.fsub(ys[p], one))

    def slide(self, sums: dict[str, Cells], rows: Any, first: Any) -> None:
        """Add what the frames that enter lose, and take away what those lose that leave."""
        begins, last = rows
        self.change(sums, last, first, self.e.add_to)
        one = self.e.whole(1)
        left = tuple(self.e.builder.sub(row, one) for row in begins)
        self.change(sums, left, first, self.e.subtract_from)

    def change(self, sums: dict[str, Cells], at: Any, first: Any, change: Any) -> None:
        """Add to the sums what a frame loses, or take it away."""
        e, b = self.e, self.e.builder
        for which, (_, before) in enumerate(self.lists(first)):
            counts = [b.load(b.gep(before, [e.add(at[which], e.whole(k))])) for k in (0, 1)]
            with b.if_then(b.icmp_signed("!=", *counts), likely=False):
                own = (e.whole(0),) if self.single else ()
                self.count(sums["n"], which, at, first, change)
                for name, of, (x, y) in (t for c in (None, *own) for t in self.terms(at, first, c)):
                    if of == which and name != "both":
                        e.step(sums[name], x, y, change)
                if not self.single:
                    self.slide_coordinates(which, at, first, change)

    def slide_coordinates(self, which: int, at: Any, first: Any, change: Any) -> None:
        """Do as `slide` with what is kept by coordinate."""
        e = self.e
        with e.loop(self.d) as c:
            x, y = self.terms(at, first, c)[1 - which][2]
            k = 1 - which
            slots = {cell: e.variable(e.constant(0.0)) for cell in e.cells()}
            for cell, slot in slots.items():
                e.put(slot, e.load(self.work, self.lost_of(c, k, cell)))
            e.step(slots, x, y, change)
            for cell, slot in slots.items():
                e.store(e.get(slot), self.work, self.lost_of(c, k, cell))
