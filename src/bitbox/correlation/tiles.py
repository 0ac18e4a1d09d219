"""Register tiles: blocks of pairs whose sums never leave the vector registers.

What the compiler makes of plain loops stores every partial sum; here the vectors are written out
as LLVM vectors, a block of signals of x by `COLUMNS` signals of y at a time. The same recipe is
emitted for float32 and float64, and for two register files: `WIDE` (AVX-512: 32 registers of 64
bytes) and `NARROW` (AVX2, NEON: registers of 32 bytes, or pairs of 16). Which one is part of a
kernel's type, so that only the one that the machine has is compiled.

A tile takes arrays only; it neither checks nor allocates anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Signals of x and of y that arrays are padded to.
ROWS = 8
COLUMNS = 16

#: Terms that are summed before they are added to the total. Short sums of short sums keep the
#: rounding of float32 near that of a sum of this many terms.
BLOCK = 12

#: Register files. The length of the tuple is what tells them apart: it is part of its type.
NARROW = (0,)
WIDE = (0, 0)

_INT = ir.IntType(64)


class Emitter:
    """Writes vector code for one element type and one register file."""

    def __init__(self, context: Any, builder: Any, element: Any, wide: bool) -> None:
        self.context, self.builder = context, builder
        self.real = ir.FloatType() if element == types.float32 else ir.DoubleType()
        size = 4 if element == types.float32 else 8
        self.wide = wide
        self.lanes = (64 if wide else 32) // size
        self.parts = COLUMNS // self.lanes
        # Eight accumulators keep two multiply-add units busy, and leave room for the rest.
        self.rows = 8 // self.parts
        self.vector = ir.VectorType(self.real, self.lanes)
        self.size = size
        self._align_stack()

    def _align_stack(self) -> None:
        """Have registers that do not suffice kept in whole lines of the cache.

        The compiler aligns a function's stack only for what it knows of before it hands out
        registers; so it is shown a variable that must be aligned.
        """
        slot = cgutils.alloca_once(self.builder, self.vector)
        slot.align = self.lanes * self.size
        kind = ir.FunctionType(ir.VoidType(), [slot.type])
        self.builder.asm(kind, "", "r", [slot], side_effect=True)

    def constant(self, value: float) -> Any:
        """Return a vector of one constant."""
        return ir.Constant(self.vector, [value] * self.lanes)

    def whole(self, value: int) -> Any:
        """Return an index constant."""
        return ir.Constant(_INT, value)

    def data(self, array_type: Any, array: Any) -> tuple[Any, Any]:
        """Return the address and the length of a row of a contiguous array."""
        struct = self.context.make_array(array_type)(self.context, self.builder, array)
        shape = cgutils.unpack_tuple(self.builder, struct.shape)
        return struct.data, shape[-1]

    def load(self, pointer: Any, index: Any) -> Any:
        """Load a vector of consecutive numbers."""
        address = self.builder.gep(pointer, [index])
        address = self.builder.bitcast(address, self.vector.as_pointer())
        return self.builder.load(address, align=self.size)

    def store(self, value: Any, pointer: Any, index: Any) -> None:
        """Store a vector."""
        address = self.builder.gep(pointer, [index])
        address = self.builder.bitcast(address, self.vector.as_pointer())
        self.builder.store(value, address, align=self.size)

    def spread(self, scalar: Any) -> Any:
        """Return a vector of copies of a number."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, empty, zeros)

    def copy_of(self, pointer: Any, index: Any) -> Any:
        """Return a vector of copies of an element."""
        return self.spread(self.builder.load(self.builder.gep(pointer, [index])))

    def half(self, value: Any, which: int) -> Any:
        """Return one half of a vector of float32 as a vector of float64."""
        lanes = ir.VectorType(ir.IntType(32), self.lanes)
        chosen = ir.Constant(lanes, [which * self.lanes + k for k in range(self.lanes)])
        part = self.builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), chosen)
        return self.builder.fpext(part, self.vector)

    def variable(self, start: Any) -> Any:
        """Return a vector variable; the optimiser turns it into a register."""
        slot = cgutils.alloca_once(self.builder, self.vector)
        self.builder.store(start, slot)
        return slot

    def get(self, slot: Any) -> Any:
        """Return the value of a variable."""
        return self.builder.load(slot)

    def put(self, slot: Any, value: Any) -> None:
        """Set a variable."""
        self.builder.store(value, slot)

    def times(self, a: Any, b: Any) -> Any:
        """Return a * b, which the target may fuse with `plus` or `less` where it can."""
        return self.builder.fmul(a, b, flags=("contract",))

    def plus(self, a: Any, b: Any) -> Any:
        """Return a + b, fused if it can be."""
        return self.builder.fadd(a, b, flags=("contract",))

    def less(self, a: Any, b: Any) -> Any:
        """Return a - b, fused if it can be."""
        return self.builder.fsub(a, b, flags=("contract",))

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return c + a * b."""
        return self.plus(c, self.times(a, b))

    def multiply_subtract(self, a: Any, b: Any, c: Any) -> Any:
        """Return c - a * b."""
        return self.less(c, self.times(a, b))

    def add_to(self, slot: Any, a: Any, b: Any) -> None:
        """Add a product to a variable."""
        self.put(slot, self.multiply_add(a, b, self.get(slot)))

    def subtract_from(self, slot: Any, a: Any, b: Any) -> None:
        """Subtract a product from a variable."""
        self.put(slot, self.multiply_subtract(a, b, self.get(slot)))

    def absolute(self, value: Any) -> Any:
        """Return magnitudes."""
        bits = ir.IntType(8 * self.size)
        whole = ir.VectorType(bits, self.lanes)
        mask = ir.Constant(whole, [2 ** (8 * self.size - 1) - 1] * self.lanes)
        magnitude = self.builder.and_(self.builder.bitcast(value, whole), mask)
        return self.builder.bitcast(magnitude, self.vector)

    def sign_mask(self, polarity: Any) -> Any:
        """Return the mask that takes the sign away where lags are chosen by magnitude."""
        bits = ir.IntType(8 * self.size)
        whole = ir.VectorType(bits, self.lanes)
        keep, drop = (
            ir.Constant(whole, [value] * self.lanes) for value in (-1, 2 ** (8 * self.size - 1) - 1)
        )
        signless = self.builder.icmp_signed("!=", polarity, self.whole(0))
        return self.builder.select(signless, drop, keep)

    def masked(self, value: Any, mask: Any) -> Any:
        """Return a value with some bits taken away."""
        bits = self.builder.and_(self.builder.bitcast(value, mask.type), mask)
        return self.builder.bitcast(bits, self.vector)

    def every(self, flag: Any) -> Any:
        """Return a vector of copies of a condition."""
        bit = ir.IntType(1)
        kind = ir.VectorType(bit, self.lanes)
        yes, no = ir.Constant(kind, [1] * self.lanes), ir.Constant(kind, [0] * self.lanes)
        return self.builder.select(flag, yes, no)

    def negative(self, value: Any) -> Any:
        """Return the negative."""
        return self.builder.fsub(self.constant(-0.0), value)

    def root(self, value: Any) -> Any:
        """Return square roots of a vector of either precision."""
        size = 32 if value.type.element == ir.FloatType() else 64
        kind = ir.FunctionType(value.type, [value.type])
        name = f"llvm.sqrt.v{value.type.count}f{size}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [value])

    def clipped(self, value: Any) -> Any:
        """Return what rounding put beyond 1 to it; NaN stays."""
        for sign, limit in ((">", self.constant(1.0)), ("<", self.constant(-1.0))):
            beyond = self.builder.fcmp_ordered(sign, value, limit)
            value = self.builder.select(beyond, limit, value)
        return value

    def keep(self, better: Any, slot: Any, value: Any) -> None:
        """Set a variable where a condition holds."""
        self.put(slot, self.builder.select(better, value, self.get(slot)))

    def keep_better(self, value: Any, lag: Any, slots: tuple[Any, Any], sign: Any) -> None:
        """Set (correlation, lag) where a value is as good or better, signs being masked."""
        # False where the value is NaN, so that undefined lags are never chosen.
        new, old = self.masked(value, sign), self.masked(self.get(slots[0]), sign)
        better = self.builder.fcmp_ordered(">=", new, old)
        self.keep(better, slots[0], value)
        self.keep(better, slots[1], lag)

    def chosen(self, value: Any, lag: Any) -> Any:
        """Return a correlation, limited to 1, or NaN where no lag was chosen."""
        known = self.builder.fcmp_ordered("ord", lag, lag)
        return self.builder.select(known, self.clipped(value), self.constant(float("nan")))

    def mul(self, a: Any, b: Any) -> Any:
        """Multiply indices."""
        return self.builder.mul(a, b)

    def add(self, a: Any, b: Any) -> Any:
        """Add indices."""
        return self.builder.add(a, b)

    @contextmanager
    def loop(self, count: Any) -> Iterator[Any]:
        """Write a loop; the context gives its index."""
        with cgutils.for_range(self.builder, count) as step:
            yield step.index

    def cells(self) -> list[tuple[int, int]]:
        """Return (row, part) of every accumulator."""
        return [(r, p) for r in range(self.rows) for p in range(self.parts)]

    def product(self, x: Any, nx: Any, y: Any, ny: Any, terms: Any) -> dict[tuple[int, int], Any]:
        """Sum x[k, row] * y[k, column] over `terms` rows k; x and y point at the tile's corner."""
        builder = self.builder
        block = self.whole(BLOCK)
        rest = builder.srem(builder.sub(terms, self.whole(1)), block)
        first = self.add(rest, self.whole(1))  # what does not fill a block comes first: 1 to BLOCK

        def run(begin: Any, count: Any) -> dict[tuple[int, int], Any]:
            sums = {cell: self.variable(self.constant(0.0)) for cell in self.cells()}
            with self.loop(count) as step:
                k = self.add(begin, step)
                self._step(sums, x, self.mul(k, nx), y, self.mul(k, ny))
            return sums

        totals = run(self.whole(0), first)
        with self.loop(builder.sdiv(builder.sub(terms, first), block)) as number:
            sums = run(self.add(first, self.mul(number, block)), block)
            for cell, slot in sums.items():
                self.put(totals[cell], builder.fadd(self.get(totals[cell]), self.get(slot)))
        return totals

    def tuple_data(self, kind: Any, arrays: Any) -> list[tuple[Any, Any]]:
        """Return the address and row length of every array of a tuple."""
        parts = cgutils.unpack_tuple(self.builder, arrays)
        return [self.data(k, part) for k, part in zip(kind.types, parts, strict=True)]

    def load_parts(self, pointer: Any, index: Any) -> list[Any]:
        """Return the vectors of COLUMNS consecutive numbers."""
        offsets = [self.whole(p * self.lanes) for p in range(self.parts)]
        return [self.load(pointer, self.add(index, offset)) for offset in offsets]

    def transposed(self, pointer: Any, places: list[Any]) -> list[Any]:
        """Return the columns of a block: a row of `rows` numbers begins at each of the places.

        There are twice as many places as numbers in a row. Shuffling the rows of a square like
        cards, as often as it can be halved, turns them into columns; here two squares lie side by
        side in a register.
        """
        size, narrow = self.rows, ir.VectorType(self.real, self.rows)
        halves = []
        for place in places:
            address = self.builder.bitcast(self.builder.gep(pointer, [place]), narrow.as_pointer())
            halves.append(self.builder.load(address, align=self.size))
        vectors = [self.shuffled(halves[k], halves[k + size], range(2 * size)) for k in range(size)]
        lower = [
            lane + from_second * 2 * size
            for half in (0, size)
            for lane in range(half, half + size // 2)
            for from_second in (0, 1)
        ]
        upper = [lane + size // 2 for lane in lower]
        for _ in range(size.bit_length() - 1):
            vectors = [
                self.shuffled(vectors[k], vectors[k + size // 2], lanes)
                for k in range(size // 2)
                for lanes in (lower, upper)
            ]
        return vectors

    def shuffled(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        """Return chosen lanes of two vectors, b's counted on from a's."""
        kind = ir.VectorType(ir.IntType(32), len(lanes))
        return self.builder.shuffle_vector(a, b, ir.Constant(kind, list(lanes)))

    def store_cells(self, slots: Any, pointer: Any, i: Any, j: Any, n: Any) -> None:
        """Write a tile to its place in a matrix of n columns."""
        for r, p in self.cells():
            row = self.mul(self.add(i, self.whole(r)), n)
            place = self.add(row, self.add(j, self.whole(p * self.lanes)))
            self.store(self.get(slots[r, p]), pointer, place)

    def each_rows(self, first: Any, emit: Callable[[Any], None]) -> None:
        """Run a recipe over ROWS rows, as many at a time as the registers hold."""
        with self.loop(self.whole(ROWS // self.rows)) as number:
            emit(self.add(first, self.mul(number, self.whole(self.rows))))

    def _step(self, sums: dict[tuple[int, int], Any], x: Any, kx: Any, y: Any, ky: Any) -> None:
        columns = self.load_parts(y, ky)
        for r in range(self.rows):
            row = self.copy_of(x, self.add(kx, self.whole(r)))
            for p, column in enumerate(columns):
                self.add_to(sums[r, p], row, column)


@intrinsic
def imitation(typing, registers, x, y, inverse, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs without missing frames.

    x (terms, n1) normalised; y (rows, n2); inverse (frames, n2) of the norms of y's windows;
    lags = (first frames of y, values), each (lags,); out = (r, lag), each (n1, n2);
    at = (i, j, terms, d, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.dtype, registers.count == len(WIDE))
        emit_imitation(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, x, y, inverse, lags, out, at), codegen


def emit_imitation(
    e: Emitter, kinds: Any, args: Any, change: Callable[[Any, Any, Any], None] | None = None
) -> None:
    """Write the recipe of `imitation`.

    change : writes what is to be done to sums of products, given y's first frame and the first row.
    """
    builder = e.builder
    (x, nx), (y, ny), (inverse, _) = (e.data(kinds[k], args[k]) for k in range(3))
    (starts, n_lags), (lags, _) = e.tuple_data(kinds[3], args[3])
    (out_r, n_out), (out_lag, _) = e.tuple_data(kinds[4], args[4])
    i0, j0, terms, d, polarity = cgutils.unpack_tuple(builder, args[5])
    sign = e.sign_mask(polarity)
    signless = builder.icmp_signed("!=", polarity, e.whole(0))

    def rows(first: Any) -> None:
        worst = builder.select(signless, e.constant(0.0), e.constant(-2.0))
        best = {cell: e.variable(worst) for cell in e.cells()}
        chosen = {cell: e.variable(e.constant(float("nan"))) for cell in e.cells()}
        with e.loop(n_lags) as q:
            # From the last to the first, which a tie prefers.
            q = builder.sub(builder.sub(n_lags, e.whole(1)), q)
            frame = builder.load(builder.gep(starts, [q]))
            corner = builder.gep(y, [e.add(e.mul(e.mul(frame, d), ny), j0)])
            sums = e.product(builder.gep(x, [first]), nx, corner, ny, terms)
            if change is not None:
                change(frame, first, sums)
            lag = e.copy_of(lags, q)
            norms = e.load_parts(inverse, e.add(e.mul(frame, ny), j0))
            for cell in e.cells():
                r = builder.fmul(e.get(sums[cell]), norms[cell[1]])
                e.keep_better(r, lag, (best[cell], chosen[cell]), sign)
        for cell in e.cells():
            e.put(best[cell], e.chosen(e.get(best[cell]), e.get(chosen[cell])))
        e.store_cells(best, out_r, first, j0, n_out)
        e.store_cells(chosen, out_lag, first, j0, n_out)

    e.each_rows(i0, rows)
