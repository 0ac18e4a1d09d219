"""Which frames signals miss: eight signals at a time, as bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from bitbox.correlation.compiled import part
from bitbox.correlation.layout import LEAST

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]


@intrinsic
def missing_bits(typing, rows, row, column):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Return the bits of the values of a row that are NaN, `LEAST` of them from a column on."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        stride = builder.extract_value(array.shape, 1)
        place = builder.add(builder.mul(args[1], stride), args[2])
        vector = ir.VectorType(ir.DoubleType(), LEAST)
        address = builder.bitcast(builder.gep(array.data, [place]), vector.as_pointer())
        values = builder.load(address, align=8)
        bits = builder.bitcast(builder.fcmp_unordered("uno", values, values), ir.IntType(LEAST))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(rows, types.int64, types.int64), codegen


@intrinsic
def lowest_bit(typing, bits):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Return the place of the lowest bit of a number that is not 0."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@part
def list_missing(
    rows: FloatArray,
    at: tuple[int, int, int, int],
    places: IntArray,
    partial: FloatArray,
    out: tuple[IntArray, IntArray],
) -> None:
    """List the frames that partial signals miss.

    rows : (frames * d, signals), of at least `LEAST` signals
    at : first frame, first column, signals, d
    places : (signals or more,): where in `partial` and in `out` each signal is
    out : (frames of each (n, most), their numbers (n,))
    """
    start, column, n, d = at
    missed, sizes = out
    sizes[:] = 0
    for first in range(0, n, LEAST):
        begin = max(0, min(first, n - LEAST))  # the last eight overlap with those before
        wanted = 0
        for j in range(first, min(first + LEAST, n)):
            wanted |= (1 if partial[places[j]] > 0.0 else 0) << (j - begin)
        for k in range(missed.shape[1] - 1 if wanted != 0 else 0):
            bits = missing_bits(rows, (start + k) * d, column + begin) & wanted
            while bits != 0:
                place = places[begin + lowest_bit(bits)]
                missed[place, sizes[place]] = k
                sizes[place] += 1
                bits &= bits - 1
