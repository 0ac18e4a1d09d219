"""The register tile of imitation, for windows without missing frames.

x has norm 1 and its mean taken out, so that y needs no centring in the products: a correlation is
the sum of products over y's norm. Accumulators, the best correlation and its lag all stay in
vector registers until every lag was tried.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bitbox.correlation.geometry import WIDE
from bitbox.correlation.vectors import Emitter


@intrinsic
def imitation(typing, registers, x, y, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Choose among the lags for ROWS x COLUMNS pairs without missing frames.

    x, y : `moments.Panel`; lags = (first frames of y, values), each (lags,), the preferred first;
    out = (r, lag), each (n1, n2); at = (i, j, terms, d, polarity).
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, x.types[0].dtype, registers.count == len(WIDE))
        _emit(e, signature.args[1:], args[1:])
        return context.get_dummy_value()

    return types.void(registers, x, y, lags, out, at), codegen


def _emit(e: Emitter, kinds: Any, args: Any) -> None:
    builder = e.builder
    (x, nx), (norm_x, _) = e.tuple_data(kinds[0], args[0])[:2]
    (y, ny), (norms_y, _) = e.tuple_data(kinds[1], args[1])[:2]
    (starts, n_lags), (lags, _) = e.tuple_data(kinds[2], args[2])
    (out_r, n_out), (out_lag, _) = e.tuple_data(kinds[3], args[3])
    i0, j0, terms, d, polarity = cgutils.unpack_tuple(builder, args[4])
    signless = builder.icmp_signed("!=", polarity, e.whole(0))
    sign = e.sign_mask(signless)

    def rows(first: Any) -> None:
        worst = builder.select(signless, e.constant(0.0), e.constant(-2.0))
        best = {cell: e.variable(worst) for cell in e.cells()}
        chosen = e.fresh(float("nan"))
        with e.loop(n_lags) as q:
            # From the last to the first, which a tie prefers.
            q = builder.sub(builder.sub(n_lags, e.whole(1)), q)
            frame = builder.load(builder.gep(starts, [q]))
            corner = builder.gep(y, [e.add(e.mul(e.mul(frame, d), ny), j0)])
            sums = e.product(builder.gep(x, [first]), nx, corner, ny, terms)
            lag = e.copy_of(lags, q)
            norms = e.load_parts(norms_y, e.add(e.mul(frame, ny), j0))
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
