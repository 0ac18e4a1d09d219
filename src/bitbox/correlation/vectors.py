"""Register tiles: blocks of pairs whose sums never leave the vector registers.

What the compiler makes of plain loops stores every partial sum; here the vectors are written out
as LLVM vectors, a block of signals of x by `COLUMNS` signals of y at a time. The same recipe is
emitted for float32 and float64, and for two register files: `WIDE` (AVX-512: 32 registers of 64
bytes) and `NARROW` (AVX2, NEON: registers of 32 bytes, or pairs of 16). Which one is part of a
kernel's type, so that only the one that the machine has is compiled.

A tile takes arrays only; it neither checks nor allocates anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from bitbox.correlation.geometry import BLOCK, COLUMNS, ROWS

_INT = ir.IntType(64)

#: A variable for every accumulator of a tile, by row and part.
Cells = dict[tuple[int, int], Any]
#: The address of a tile's corner in an array, the array's row length, and a row.
Side = tuple[Any, Any, Any]


def apart(
    builder: Any, args: Any, name: str, write: Callable[[Any, Any], Any], result: Any = None
) -> Any:
    """Write code into a function of its own, once in a module, and call it.

    name : what the code does; with the types of the arguments it tells functions apart.
    write(builder, arguments) returns what the function does, None without a `result` type.
    """
    kind = ir.FunctionType(result or ir.VoidType(), [value.type for value in args])
    function = builder.module.globals.get(name)
    if function is None:
        function = ir.Function(builder.module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block("entry"))
        value = write(inner, function.args)
        if result is None:
            inner.ret_void()
        else:
            inner.ret(value)
    return builder.call(function, args)


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
        """Load a vector of consecutive numbers; those of single precision are converted."""
        kind = self._kind(pointer)
        address = self.builder.gep(pointer, [index])
        value = self.builder.load(self.builder.bitcast(address, kind.as_pointer()), align=4)
        return value if kind == self.vector else self.builder.fpext(value, self.vector)

    def store(self, value: Any, pointer: Any, index: Any) -> None:
        """Store a vector, in single precision where the array is."""
        kind = self._kind(pointer)
        value = value if kind == value.type else self.builder.fptrunc(value, kind)
        address = self.builder.gep(pointer, [index])
        self.builder.store(value, self.builder.bitcast(address, kind.as_pointer()), align=4)

    def _kind(self, pointer: Any) -> Any:
        """Return the type of a vector of what an array holds."""
        return ir.VectorType(pointer.type.pointee, self.lanes)

    def store_flags(self, flags: Any, pointer: Any, index: Any) -> None:
        """Store conditions as bytes, 1 or 0."""
        kind = ir.VectorType(ir.IntType(8), self.lanes)
        address = self.builder.bitcast(self.builder.gep(pointer, [index]), kind.as_pointer())
        self.builder.store(self.builder.zext(flags, kind), address, align=1)

    def spread(self, scalar: Any) -> Any:
        """Return a vector of copies of a number."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, empty, zeros)

    def number(self, whole: Any) -> Any:
        """Return a vector of copies of a whole number."""
        return self.spread(self.builder.sitofp(whole, self.real))

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

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return c + a * b."""
        builder = self.builder
        return builder.fadd(c, builder.fmul(a, b, flags=("contract",)), flags=("contract",))

    def multiply_subtract(self, a: Any, b: Any, c: Any) -> Any:
        """Return c - a * b."""
        builder = self.builder
        return builder.fsub(c, builder.fmul(a, b, flags=("contract",)), flags=("contract",))

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

    def sign_mask(self, signless: Any) -> Any:
        """Return the mask that takes the sign away where lags are chosen by magnitude."""
        bits = ir.IntType(8 * self.size)
        whole = ir.VectorType(bits, self.lanes)
        keep, drop = (
            ir.Constant(whole, [value] * self.lanes) for value in (-1, 2 ** (8 * self.size - 1) - 1)
        )
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

    def opaque(self, index: Any) -> Any:
        """Return an index of which the compiler knows nothing.

        From one that counts a loop it makes a pointer for every array, more than there are
        registers, and moves each of them on in memory.
        """
        kind = ir.FunctionType(_INT, [_INT])
        return self.builder.asm(kind, "", "=r,0", [index], side_effect=False)

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

    def product(self, x: Any, nx: Any, y: Any, ny: Any, terms: Any) -> Cells:
        """Sum x[k, row] * y[k, column] over `terms` rows k; x and y point at the tile's corner."""
        builder = self.builder
        block = self.whole(BLOCK)
        rest = builder.srem(builder.sub(terms, self.whole(1)), block)
        first = self.add(rest, self.whole(1))  # what does not fill a block comes first: 1 to BLOCK

        def run(begin: Any, count: Any) -> Cells:
            sums = self.fresh(0.0)
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

    def fresh(self, value: float) -> Cells:
        """Return a variable for every accumulator."""
        return {cell: self.variable(self.constant(value)) for cell in self.cells()}

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

    def listed(self, pairs: list[tuple[Side, Side]], frames: Any, begin: Any, count: Any) -> Any:
        """Sum x[k + a, row] * y[k + b, column] over some listed frames k, for pairs of x and y.

        These are (address of the tile's corner, row length, first row a or b).
        """
        sums = [self.fresh(0.0) for _ in pairs]
        with self.loop(count) as number:
            k = self.builder.load(self.builder.gep(frames, [self.add(begin, number)]))
            for cells, pair in zip(sums, pairs, strict=True):
                x, y = ((a, n, self.add(k, row)) for a, n, row in pair)
                self.step(cells, x, y, self.add_to)
        return sums

    def step(self, sums: Cells, x: Side, y: Side, change: Callable[..., None]) -> None:
        """Add the products of a row of x and one of y to sums, or take them away."""
        rows = (self.mul(row, n) for _, n, row in (x, y))
        self._step(sums, x[0], next(rows), y[0], next(rows), change)

    def _step(
        self,
        sums: Cells,
        x: Any,
        kx: Any,
        y: Any,
        ky: Any,
        change: Callable[..., None] | None = None,
    ) -> None:
        columns = self.load_parts(y, ky)
        for r in range(self.rows):
            row = self.copy_of(x, self.add(kx, self.whole(r)))
            for p, column in enumerate(columns):
                (change or self.add_to)(sums[r, p], row, column)
