"""What one thread works with: arrays that its jobs write to, one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import gaps, kernels, overlap, shared_gaps, tiles
from bitbox.correlation.jobs import Task
from bitbox.correlation.layout import aligned, rows
from bitbox.correlation.sum_tiles import GROUP

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Of so many rows one is looked at for gaps.
_LOOK = 50

#: Where more frames than this share miss signals, most windows are sure to, too, and nothing else
#: is tried first.
_MOST = 0.5

#: Terms that windows must have in common for doing them two at a time to pay.
_COMMON = 12

_NO_SUMS = np.empty((0, 0, 0))


@dataclass(frozen=True)
class _Piece:
    """Some windows of a task: where they start, and the frames that they need."""

    task: Task
    starts: IntArray
    frames: tuple[int, int]

    @classmethod
    def of(cls, task: Task, first: int) -> _Piece:
        """Return the windows of the job that begins with a window."""
        plan = task.plan
        starts = plan.starts[first : first + task.windows_per_job]
        begin = int(starts[0]) - plan.max_lag
        after = plan.max_lag if plan.two_sided else 0
        return cls(task, starts - begin, (begin, int(starts[-1]) + plan.window + after))

    def sides(self) -> Any:
        """Return the signals as the kernels of imitation take them."""
        task, (begin, end) = self.task, self.frames
        x, column_x = rows(task.x, task.rows, begin, end)
        y, column_y = rows(task.y, task.columns, begin, end)
        return (x, y), (column_x, task.n1, column_y, task.n2, task.x.shape[2])

    @cached_property
    def laid_out(self) -> tuple[FloatArray, FloatArray]:
        """Return the signals laid out and scaled, for all other kernels."""
        return self.task.laid_out(*self.frames)


class Workspace:
    """Computes the windows of jobs, each part of them in the cheapest way that is accurate.

    Parameters
    ----------
    task : Task
        One of those that will be worked on: all have its plan and its numbers of signals.
    """

    def __init__(self, task: Task) -> None:
        # Without the signals, which it would keep in memory.
        nothing = (np.empty((0, *signals.shape[1:])) for signals in (task.x, task.y))
        self._task = replace(task, x=next(nothing), y=next(nothing))
        self._kept: tuple[NDArray[Any], ...] | None = None
        self._panels: dict[str, Any] = {}
        self._overlap: Any = None
        self._gaps: gaps.Work | None = None
        self._tables: shared_gaps.Tables | None = None
        self._short = self._matrices(GROUP)
        self._odd = np.empty(task.windows_per_job, dtype=np.int64)

    def windows(self, task: Task, first: int) -> tuple[SingleArray, SingleArray]:
        """Return correlations and lags (frames) of a job's windows, in whole tiles."""
        piece = _Piece.of(task, first)
        out = self._results(len(piece.starts))
        if task.geometry.coordination:
            self._coordination(piece, out)
        else:
            sides = piece.sides()
            self._plain(piece, sides, out[:3], _NO_SUMS)
            if out[2].any():
                self._shared(piece.starts, sides, out[:3], _NO_SUMS)
            if out[2].any():
                self._do_odd(piece, piece.starts, sides, out, _NO_SUMS)
        return out[0], out[1]

    def add(self, task: Task, first: int, sums: FloatArray) -> int:
        """Set (5, n1, n2) to the sums over a job's windows; return their number.

        Correlations are added up as soon as there are a few, while the processor has them at hand.
        """
        registers = task.geometry.registers
        sums.fill(0.0)
        if task.geometry.coordination:
            r, lag = self.windows(task, first)
            kernels.accumulate(r, lag, registers, sums)
            return len(r)
        piece = _Piece.of(task, first)
        sides, odd = piece.sides(), self._odd[: len(piece.starts)]
        starts, (some, scattered) = piece.starts, _missing(sides)
        if some < _MOST:
            self._plain(piece, sides, (*self._short, odd), sums)
            starts = starts[odd != 0]
        if len(starts) > 0 and scattered < _MOST:
            odd = odd[: len(starts)]
            self._shared(starts, sides, (*self._short, odd), sums)
            starts = starts[odd != 0]
        while len(starts) > 0:
            out = self._results(min(len(starts), GROUP))
            starts = starts[self._do_odd(piece, starts, sides, out, sums) :]
        return len(piece.starts)

    def _plain(self, piece: _Piece, sides: Any, out: Any, sums: FloatArray) -> None:
        """Do the windows that nothing is odd about (see `kernels.imitation`)."""
        plan, starts = piece.task.plan, piece.starts
        common = (plan.window - plan.step) * piece.task.x.shape[2]
        if len(starts) == 1 or common < _COMMON:
            kernels.imitation(sides, starts, *self._room(np.float32), out, sums)
            return
        if self._overlap is None:
            shape = plan.window, plan.step, piece.task.x.shape[2], piece.task.padded
            self._overlap = overlap.new_room(*shape, piece.task.order.size)
        lags = self._lags(np.float32)
        overlap.imitation(sides, starts, lags, piece.task.geometry, self._overlap, out, sums)

    def _shared(self, starts: IntArray, sides: Any, out: Any, sums: FloatArray) -> None:
        """Do the windows from which all signals miss the same frames."""
        if self._tables is None:
            width, d, lags = self._task.plan.window, self._task.x.shape[2], len(self._task.order)
            self._tables = shared_gaps.tables(width, lags, d, self._task.padded)
        room = self._room(np.float32)
        shared_gaps.imitation(sides, starts, *room, self._tables, out, sums)

    def _do_odd(
        self, piece: _Piece, starts: IntArray, sides: Any, out: Any, sums: FloatArray
    ) -> int:
        """Do windows that something is odd about; return how many (see `kernels.imitation_odd`)."""
        single = self._room(np.float32, spare=True)
        if self._gaps is None:
            self._gaps = gaps.workspace(single[2], self._task.plan.window, self._task.x.shape[2])
        done, left = kernels.imitation_odd(sides, starts, *single, self._gaps, out, sums)
        if not left:
            return done
        last = (done - 1) % len(out[0]) + 1
        starts, out = starts[done - last : done], tuple(array[:last] for array in out)
        if left & kernels.STRANGE:
            flat = tuple(a.reshape(-1, a.shape[2]) for a in piece.laid_out)
            sides = flat, (0, piece.task.n1, 0, piece.task.n2, piece.laid_out[0].shape[1])
            out[2][:] = 1
            _, left = kernels.imitation_odd(sides, starts, *single, self._gaps, out, _NO_SUMS)
        if left & kernels.SOME_FAR:
            kernels.imitation_far(sides, starts, *self._room(np.float64), out)
        if left & kernels.SOME_EXACT:
            task = piece.task
            kernels.exactly(*piece.laid_out, starts, task.order, task.geometry, out)
        if sums.size > 0:
            kernels.accumulate(out[0], out[1], piece.task.geometry.registers, sums)
        return done

    def _coordination(self, piece: _Piece, out: Any) -> None:
        from bitbox.correlation import coordination

        r, lag, odd, states, hard_x, hard_y = out
        odd[:] = kernels.SOME_EXACT
        x, y = piece.laid_out
        hard = tuple(np.empty((len(r), a.shape[2]), dtype=np.bool_) for a in (x, y))
        arguments = x, y, piece.starts, piece.task.order, piece.task.geometry
        coordination.coordination(*arguments, (r, lag, states, *hard))
        hard_x[:], hard_y[:] = hard[0][:, : hard_x.shape[1]], hard[1][:, : hard_y.shape[1]]
        some_gaps = (states == kernels.GAPS).any()
        if some_gaps:
            coordination.coordination_gaps(*arguments, (r, lag, states, *hard))
        if some_gaps or hard_x.any() or hard_y.any():
            kernels.exactly(*arguments, out)

    def _matrices(self, windows: int) -> tuple[SingleArray, SingleArray]:
        """Return room for correlations and lags, whole tiles in whole lines of the cache."""
        n1, n2 = self._task.padded
        r, lag = (aligned(windows * n1, n2, np.float32) for _ in range(2))
        return r.reshape(windows, n1, n2), lag.reshape(windows, n1, n2)

    def _results(self, windows: int) -> Any:
        """Return (r, lag, odd, states, hard_x, hard_y) of some windows (see `kernels`)."""
        if self._kept is None:
            task, most = self._task, self._task.windows_per_job
            n1, n2 = task.padded
            self._kept = (
                *self._matrices(most),
                np.empty(most, dtype=np.int64),
                np.empty((most, n1 // tiles.ROWS, n2 // tiles.COLUMNS), dtype=np.uint8),
                np.empty((most, task.n1), dtype=np.bool_),
                np.empty((most, task.n2), dtype=np.bool_),
            )
        return tuple(array[:windows] for array in self._kept)

    def _room(self, dtype: type[np.floating[Any]], *, spare: bool = False) -> tuple[Any, Any, Any]:
        """Return lags, geometry and panels, as the kernels of imitation take them."""
        key = f"{dtype.__name__} {spare}"
        if key not in self._panels:
            task, lags = self._task, self._task.order.size
            width, d = task.plan.window, task.x.shape[2]
            self._panels[key] = kernels.new_room(width, d, task.padded, lags, dtype, spare=spare)
        return self._lags(dtype), self._task.geometry, self._panels[key]

    def _lags(self, dtype: type[np.floating[Any]]) -> kernels.Lags:
        """Return the lags' first frames in a stretch of y, and their values."""
        order = self._task.order
        return order - order.min(), order.astype(dtype)


def _missing(sides: Any) -> tuple[float, float]:
    """Guess the share of frames from which signals are missing: any, and some but not all.

    It is a guess from some of the frames, and signals that are never there do not count. What comes
    out is accurate either way.
    """
    most = [0.0, 0.0]
    for signals, column, n in zip(sides[0], sides[1][:3:2], sides[1][1:4:2], strict=True):
        missing = np.isnan(signals[::_LOOK, column : column + n])
        missing = missing[:, ~missing.all(axis=0)]
        some = missing.any(axis=1)
        shares = some.mean(), (some & ~missing.all(axis=1)).mean()
        most = [max(pair) for pair in zip(most, shares, strict=True)]
    return most[0], most[1]
