"""What the tiles of two overlapping windows need: values about the means of parts, and norms.

Two windows that overlap are three *parts*: what only the first has, what both have, and what only
the second has. Values are centred part by part. Squares and products about the mean of a window are
then those of its two parts and, between the parts, the product of what their means differ by, times
n m / (n + m) for parts of n and m frames (Chan, Golub & LeVeque 1983). Nothing large cancels in
that, whatever the parts do.

Both persons' panels are made by the same recipe; the participant has a single lag. Data are laid
out as in `panels`. A signal that misses every frame is NaN; one that misses some is only noted.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from bitbox.correlation import panels

#: As `panels.DELICATE`: what rounding takes from a mean is not followed up here.
DELICATE = 2.0**-28


@intrinsic
def fill(typing, registers, data, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Fill the panel and the tables of two windows at some lags.

    data (rows, signals); out = (panel ((2 ends + middle + 3 (lags - 1)) * d, n), the parts one
    after the other; inverse (2 * lags, n) of the windows' norms; between (2 * lags * d, n), the
    differences of the means of a window's parts, times the root of n m / (n + m); work
    ((6 + 3 * d) * lags, LEAST)). at = (first row, first column, columns, d, lags, frames of the
    first and last part, frames of the middle one, limit of the squared offset). Returns what was
    found (see `panels`), of either window.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _Overlap(context, builder, signature.args, args).emit()

    return types.int64(registers, data, out, at), codegen


class _Overlap(panels.Side):
    """The recipe of `fill`."""

    def __init__(self, context: Any, builder: Any, kinds: Any, args: Any) -> None:
        super().__init__(context, builder, kinds, args)
        self.first, self.column, self.columns, self.d = self.at[:4]
        self.lags, self.ends, self.middle, limit = self.at[4:]
        self.limit = builder.fadd(self.spread(limit), self.constant(1.0))
        self.panel, self.inverse, self.between, self.work = self.out
        self.frames = self.add(self.ends, self.middle)
        product = self.number(self.mul(self.ends, self.middle))
        self.weight = self.root(builder.fdiv(product, self.number(self.frames)))

    def emit(self) -> Any:
        """Write it."""
        b, zero = self.builder, self.constant(0.0)
        with self.signals() as j:
            most, floor, lost, seen, doubtful, far = self.zeros(6)
            with self.loop(self.whole(3)) as p:
                self.part(p, j, (most, floor), (lost, seen))
            self.put(most, b.fmul(self.get(most), self.constant(panels.ANEW)))
            for least in (self.get(floor), self.constant(panels.SMALLEST)):
                self.keep(b.fcmp_ordered("<", self.get(most), least), most, least)
            with self.loop(self.whole(2)) as w, self.loop(self.lags) as f:
                self.window(w, f, j, self.get(most), (doubtful, far))
            for slot in (lost, doubtful):  # no matter where everything is missing
                self.put(slot, b.fmul(self.get(slot), self.get(seen)))
            self.note(lost, zero, panels.PARTIAL)
            self.note(doubtful, zero, panels.DOUBTFUL)
            self.note(far, zero, panels.FAR)
        return b.load(self.found)

    def part(self, p: Any, j: Any, sums: tuple[Any, Any], marks: tuple[Any, Any]) -> None:
        """Lay out one part, and keep its moments at every lag."""
        b, zero = self.builder, self.constant(0.0)
        most, floor = sums
        is_middle, is_last = (b.icmp_signed("==", p, self.whole(k)) for k in (1, 2))
        frames = b.select(is_middle, self.middle, self.ends)
        begin = b.select(is_middle, self.ends, b.select(is_last, self.frames, self.whole(0)))
        more = b.sub(self.lags, self.whole(1))
        to = self.add(begin, self.mul(p, more))
        stretch, number = self.add(frames, more), self.number(frames)
        share = b.fdiv(self.constant(1.0), number)
        with self.loop(self.d) as c:
            (total,) = self.zeros(1)
            with self.loop(stretch) as k:
                self.increase(total, self.at_row(self.row(self.add(begin, k), c), j))
            centre = b.fdiv(self.get(total), self.number(stretch))
            self.look(self.get(total), (begin, stretch, c, j), marks)
            self.add_to(floor, b.fmul(centre, centre), b.fmul(number, self.constant(DELICATE**2)))
            square, along, largest = self.zeros(3)

            def away(k: Any, *, keep: bool, c: Any = c, centre: Any = centre) -> Any:
                value = b.fsub(self.at_row(self.row(self.add(begin, k), c), j), centre)
                if keep:
                    self.put_out(value, self.panel, self.place(self.row(self.add(to, k), c), j))
                return value

            with self.loop(frames) as k:
                value = away(k, keep=True)
                self.add_to(square, value, value)
                self.increase(along, value)
            with self.loop(self.lags) as f:
                energy, mean = self.get(square), b.fmul(self.get(along), share)
                self.keep(b.fcmp_ordered(">", energy, self.get(largest)), largest, energy)
                at = self.add(self.mul(p, self.lags), f)
                self.store(b.fadd(centre, mean), self.work, self.at_mean(at, c))
                inside = b.fsub(energy, b.fmul(self.get(along), mean))
                for kind, value in enumerate((energy, inside)):
                    place = self.at_square(at, kind)
                    first = b.icmp_signed("==", c, self.whole(0))
                    before = b.select(first, zero, self.load(self.work, place))
                    self.store(b.fadd(before, value), self.work, place)
                with b.if_then(b.icmp_signed("<", f, more)):
                    new, old = away(self.add(frames, f), keep=True), away(f, keep=False)
                    change = b.fsub(new, old)
                    self.add_to(square, change, b.fadd(new, old))
                    self.increase(along, change)
            self.increase(most, self.get(largest))

    def at_square(self, at: Any, kind: int) -> Any:
        """Return the place of a part's squares at a lag: about its centre (0), its mean (1)."""
        row = self.add(self.mul(at, self.whole(2)), self.whole(kind))
        return self.mul(row, self.whole(self.lanes))

    def at_mean(self, at: Any, c: Any) -> Any:
        """Return the place of a part's mean at a lag."""
        row = self.add(self.mul(self.lags, self.whole(6)), self.row(at, c))
        return self.mul(row, self.whole(self.lanes))

    def look(self, total: Any, where: tuple[Any, ...], marks: tuple[Any, Any]) -> None:
        """Note whether anything is missing from a part, and whether anything is there."""
        b, one = self.builder, self.constant(1.0)
        begin, stretch, c, j = where
        lost, seen = marks
        good = self.known(total)
        self.keep(good, seen, one)
        with b.if_then(self.some(b.not_(good))):
            self.keep(b.not_(good), lost, one)
            with self.loop(stretch) as k:
                value = self.at_row(self.row(self.add(begin, k), c), j)
                self.keep(self.known(value), seen, one)

    def window(self, w: Any, f: Any, j: Any, floor: Any, marks: tuple[Any, Any]) -> None:
        """Join the parts of a window at a lag."""
        b, one = self.builder, self.constant(1.0)
        doubtful, far = marks
        parts = [self.add(self.mul(self.add(w, self.whole(k)), self.lags), f) for k in (0, 1)]
        row = self.add(self.mul(w, self.lags), f)
        energy, square = (
            b.fadd(*(self.load(self.work, self.at_square(at, kind)) for at in parts))
            for kind in (0, 1)
        )
        total = self.variable(square)
        with self.loop(self.d) as c:
            means = (self.load(self.work, self.at_mean(at, c)) for at in parts)
            apart = b.fmul(b.fsub(*means), self.weight)
            self.add_to(total, apart, apart)
            self.put_out(apart, self.between, self.place(self.row(row, c), j))
        square = self.get(total)
        fine = b.and_(
            b.fcmp_ordered(">", square, floor),
            b.fcmp_ordered("<", square, self.constant(panels.LARGEST)),
        )
        self.keep(b.not_(fine), doubtful, one)
        # The root in single precision, like what it multiplies.
        ones = ir.Constant(ir.VectorType(ir.FloatType(), self.lanes), [1.0] * self.lanes)
        inverse = b.fdiv(ones, self.root(self.to_single(square)))
        self.put_single(inverse, self.inverse, self.place(row, j))
        beyond = b.fcmp_ordered(">", energy, b.fmul(square, self.limit))
        self.keep(beyond, far, one)
