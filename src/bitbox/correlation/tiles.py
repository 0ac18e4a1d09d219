"""The register tiles for windows without missing frames: that of imitation, and which it is.

x has norm 1 and its mean taken out, so that y needs no centring in the products: a correlation is
the sum of products over y's norm. Accumulators, the best correlation and its lag all stay in
vector registers until every lag was tried.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.geometry import MOVING, WIDE
from bitbox.correlation.moments import panel_of
from bitbox.correlation.sliding import SlideTile
from bitbox.correlation.vectors import Emitter, apart


@intrinsic
def choose(typing, kinds, block, order, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs without missing frames.

    kinds = (registers, STAYING or MOVING, any), told by their types; block : of a `moments.Room`;
    order (lags or net lags,), the preferred first; out = (r, lag), each (n1, n2); at = (i, j,
    column of y's tile in the block, width, shifts, d, lowest lag, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        registers, motion = kinds[0], kinds[1]

        def write(inner: Any, values: Any) -> None:
            e = Emitter(context, inner, block.dtype, registers.count == len(WIDE))
            if motion.count == len(MOVING):
                SlideTile(e, signature.args[1:], values[1:]).emit()
            else:
                _imitation(e, signature.args[1:], values[1:])

        apart(builder, args, f"tile {signature}", write)
        return context.get_dummy_value()

    return types.void(kinds, block, order, out, at), codegen


def _imitation(e: Emitter, kinds: Any, args: Any) -> None:
    builder = e.builder
    values, n = e.data(kinds[0], args[0])
    order, n_lags = e.data(kinds[1], args[1])
    (out_r, n_out), (out_lag, _) = e.tuple_data(kinds[2], args[2])
    i0, j0, corner_y, width, shifts, d, low, polarity = cgutils.unpack_tuple(builder, args[3])
    (x, norm_x, *_), _ = panel_of(e, values, n, e.whole(0), (width, shifts, d))
    (y, norms_y, *_), _ = panel_of(e, values, n, corner_y, (width, shifts, d))
    terms = e.mul(width, d)
    signless = builder.icmp_signed("!=", polarity, e.whole(0))
    sign = e.sign_mask(signless)

    def rows(first: Any) -> None:
        worst = builder.select(signless, e.constant(0.0), e.constant(-2.0))
        best = {cell: e.variable(worst) for cell in e.cells()}
        chosen = e.fresh(float("nan"))
        with e.loop(n_lags) as q:
            # From the last to the first, which a tie prefers.
            q = builder.sub(builder.sub(n_lags, e.whole(1)), q)
            own = builder.load(builder.gep(order, [q]))
            frame, lag = builder.sub(own, low), e.number(own)
            corner = builder.gep(y, [e.mul(e.mul(frame, d), n)])
            sums = e.product(builder.gep(x, [first]), n, corner, n, terms)
            norms = e.load_parts(norms_y, e.mul(frame, n))
            for cell in e.cells():
                r = builder.fmul(e.get(sums[cell]), norms[cell[1]])
                # False where r is NaN, so that undefined lags are never chosen.
                new, old = e.masked(r, sign), e.masked(e.get(best[cell]), sign)
                better = builder.fcmp_ordered(">=", new, old)
                e.keep(better, best[cell], r)
                e.keep(better, chosen[cell], lag)
        for cell in e.cells():
            own = e.copy_of(norm_x, e.add(first, e.whole(cell[0])))
            value, lag = builder.fmul(e.get(best[cell]), own), e.get(chosen[cell])
            known = builder.fcmp_ordered("ord", lag, lag)
            value = builder.select(known, e.clipped(value), e.constant(float("nan")))
            e.put(best[cell], value)
        e.store_cells(best, out_r, first, j0, n_out)
        e.store_cells(chosen, out_lag, first, j0, n_out)

    e.each_rows(i0, rows)
