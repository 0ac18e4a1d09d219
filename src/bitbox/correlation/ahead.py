"""Asking for the frames of windows to come, which the processor does not foresee.

Rows of signals lie too far apart for that. Asked for all at once they would keep the processor
waiting; so it is done a few at a time, between tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from bitbox.correlation.compiled import part
from bitbox.correlation.tiles import Emitter

IntArray = NDArray[np.int64]
Coming = tuple[Any, tuple[int, int, int]]


@intrinsic
def fetch(typing, data, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Ask for what the next window reads, which is too far apart for the processor to foresee.

    data (rows, signals); at = (first row, rows, first column, columns); what is outside is no harm.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, types.float64, wide=True)
        source, stride = e.data(signature.args[0], args[0])
        first, count, column, columns = cgutils.unpack_tuple(builder, args[1])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), number, number, number])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        hints = [
            ir.Constant(number, value) for value in (0, 2, 1)
        ]  # to read, into the second cache, data
        line = e.whole(8)
        with (
            e.loop(count) as k,
            e.loop(builder.sdiv(e.add(columns, e.whole(15)), line)) as part,
        ):
            place = e.add(e.mul(e.add(first, k), stride), e.add(column, e.mul(part, line)))
            address = builder.bitcast(builder.gep(source, [place]), kind.args[0])
            builder.call(ask, [address, *hints])
        return context.get_dummy_value()

    return types.void(data, at), codegen


@part
def fetch_some(sides: Any, frames: tuple[int, int, int], which: int, parts: int) -> None:
    """Ask for one of so many parts of frames = (first of x, first of y, number)."""
    (x, y), (column_x, n1, column_y, n2, d) = sides
    first_x, first_y, count = frames
    begin = which * count // parts
    rows = ((which + 1) * count // parts - begin) * d
    fetch(x, ((first_x + begin) * d, rows, column_x, n1))
    fetch(y, ((first_y + begin) * d, rows, column_y, n2))


@part
def at_tile(coming: Coming, states: NDArray[np.uint8], tile: tuple[int, int]) -> None:
    """Ask for some of what comes, at the first tile in a state of each column of tiles.

    coming = (sides, frames as `fetch_some` takes them). What several states ask for is no harm.
    """
    i, j = tile
    if i == 0 or states[i - 1, j] != states[i, j]:
        fetch_some(coming[0], coming[1], j, states.shape[1])


@part
def after(starts: IntArray, w: int, width: int, beyond: int) -> tuple[int, int, int]:
    """Return the frames that the window after one needs besides that one's, for `fetch_some`.

    beyond : how far the reference's stretch reaches beyond the window
    """
    if w + 1 >= starts.size:
        return 0, 0, 0
    hop = min(starts[w + 1] - starts[w], width)
    begin = starts[w + 1] + width - hop
    return begin, begin + beyond, hop
