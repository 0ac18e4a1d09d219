"""Register tiles of two windows that overlap: what both have in common is multiplied once.

See `overlap_panels` for the parts that windows consist of. At each lag the products of the middle
part are summed, then those of each end added to them, and what lies between the parts' means.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.tiles import WIDE, Emitter


@intrinsic
def imitation(typing, registers, x, y, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs in two windows without missing frames.

    x, y = (panel, inverse, between), see `overlap_panels.fill`; lags = (first frames of y, values),
    each (lags,); out = (r of the first window, its lag, r of the second, its lag), each (n1, n2);
    at = (i, j, frames of the ends, of the middle, d, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, types.float32, registers.count == len(WIDE))
        _emit(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, x, y, lags, out, at), codegen


def _emit(e: Emitter, kinds: Any, args: Any) -> None:
    b = e.builder
    (x, nx), (inverse_x, _), (between_x, _) = e.tuple_data(kinds[0], args[0])
    (y, ny), (inverse_y, _), (between_y, _) = e.tuple_data(kinds[1], args[1])
    (starts, n_lags), (lags, _) = e.tuple_data(kinds[2], args[2])
    results = e.tuple_data(kinds[3], args[3])
    i0, j0, ends, middle, d, polarity = cgutils.unpack_tuple(b, args[4])
    sign = e.sign_mask(polarity)
    signless = b.icmp_signed("!=", polarity, e.whole(0))
    more = b.sub(n_lags, e.whole(1))
    begins = [e.whole(0), ends, e.add(ends, middle)]
    lengths = [ends, middle, ends]

    def rows(first: Any) -> None:
        worst = b.select(signless, e.constant(0.0), e.constant(float("-inf")))
        best = [{cell: e.variable(worst) for cell in e.cells()} for _ in range(2)]
        nothing = e.constant(float("nan"))
        chosen = [{cell: e.variable(nothing) for cell in e.cells()} for _ in range(2)]

        def product(part: int, frame: Any) -> dict[tuple[int, int], Any]:
            row = e.add(e.add(begins[part], e.mul(e.whole(part), more)), frame)
            at_x, at_y = e.mul(e.mul(begins[part], d), nx), e.mul(e.mul(row, d), ny)
            corners = b.gep(x, [e.add(at_x, first)]), b.gep(y, [e.add(at_y, j0)])
            return e.product(corners[0], nx, corners[1], ny, e.mul(lengths[part], d))

        with e.loop(n_lags) as q:
            # From the last to the first, which a tie prefers.
            q = b.sub(more, q)
            frame, lag = b.load(b.gep(starts, [q])), e.copy_of(lags, q)
            shared = product(1, frame)
            for w in range(2):
                sums = product(2 * w, frame)
                for cell, slot in sums.items():
                    e.put(slot, b.fadd(e.get(slot), e.get(shared[cell])))
                at = e.add(e.mul(e.whole(w), n_lags), frame)
                with e.loop(d) as c:
                    apart = e.load_parts(between_y, e.add(e.mul(e.add(e.mul(at, d), c), ny), j0))
                    row = e.mul(e.add(e.mul(e.whole(w), d), c), nx)
                    for r, p in e.cells():
                        mean = e.copy_of(between_x, e.add(row, e.add(first, e.whole(r))))
                        e.add_to(sums[r, p], mean, apart[p])
                norms = e.load_parts(inverse_y, e.add(e.mul(at, ny), j0))
                for cell in e.cells():
                    value = b.fmul(e.get(sums[cell]), norms[cell[1]])
                    e.keep_better(value, lag, (best[w][cell], chosen[w][cell]), sign)
        for w in range(2):
            for r, p in e.cells():
                norm = e.copy_of(inverse_x, e.add(e.mul(e.whole(w), nx), e.add(first, e.whole(r))))
                value = b.fmul(e.get(best[w][r, p]), norm)
                e.put(best[w][r, p], e.chosen(value, e.get(chosen[w][r, p])))
            for slots, (out, n_out) in zip((best[w], chosen[w]), results[2 * w :][:2], strict=True):
                e.store_cells(slots, out, first, j0, n_out)

    e.each_rows(i0, rows)
