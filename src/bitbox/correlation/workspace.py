"""What one thread works with, and how the windows of a job are done: each in the cheapest way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import careful, coordination, gaps, imitation
from bitbox.correlation.geometry import COLUMNS, ROWS
from bitbox.correlation.moments import STRANGE, aligned, new_panels
from bitbox.correlation.task import Task, refuse_infinite, rows

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

_NO_SUMS = np.empty((0, 0, 0))


class Workspace:
    """Computes the windows of jobs.

    Parameters
    ----------
    task : Task
        One of those that will be worked on: all have its geometry and its numbers of signals.
    """

    def __init__(self, task: Task) -> None:
        self._geometry, self._order = task.geometry, task.order
        self._sizes = task.x.shape[2], task.padded, (task.n1, task.n2)
        self._rooms: dict[type, Any] = {}
        self._kept: Any = None

    def windows(self, task: Task, first: int) -> tuple[SingleArray, SingleArray]:
        """Return correlations and lags (frames) of a job's windows, in whole tiles."""
        out = self._do(task, first, _NO_SUMS)
        return out[0], out[1]

    def add(self, task: Task, first: int, sums: FloatArray) -> int:
        """Set (5, n1, n2) to the sums over a job's windows; return their number."""
        self._do(task, first, sums)
        return int(task.plan.starts[first : first + task.windows_per_job].size)

    def _do(self, task: Task, first: int, sums: FloatArray) -> Any:
        """Do the windows of a job; without sums, return the results of all."""
        plan = task.plan
        starts = plan.starts[first : first + task.windows_per_job]
        begin = int(starts[0]) - plan.max_lag
        stop = int(starts[-1]) + plan.window + (plan.max_lag if plan.two_sided else 0)
        starts = starts - begin
        work = self._coordination if task.geometry.coordination else self._imitation
        for scaled in (False, True):
            sums.fill(0.0)
            sides = _sides(task, (begin, stop), scaled=scaled)
            found, out = work(sides, starts, sums)
            if not found & STRANGE:
                break
            refuse_infinite(task)
        return out

    def _imitation(self, sides: Any, starts: IntArray, sums: FloatArray) -> tuple[int, Any]:
        """Do windows of imitation; return what was found, and the results of the last ones."""
        out = self._results(starts.size if sums.size == 0 else 2 * imitation.GROUP)
        if self._most_miss_frames(sides, starts):
            return self._odd_windows(sides, starts, out, sums), out
        lags, panels = self._lags(np.float32), self._room(np.float32)[0]
        odd = np.zeros(starts.size, dtype=np.int64)
        plain = out[0], out[1], odd
        imitation.imitation(sides, starts, lags, self._geometry, panels, plain, sums)
        found = int(np.bitwise_or.reduce(odd))
        if sums.size > 0:
            self._odd_windows(sides, starts[odd != 0], out, sums)
            return found, out
        for window in np.flatnonzero(odd):
            place = slice(window, window + 1)
            self._odd_windows(sides, starts[place], tuple(a[place] for a in out), sums)
        return found, out

    def _most_miss_frames(self, sides: Any, starts: IntArray) -> bool:
        """Return whether most windows miss frames, so that few could be done as they are."""
        (x, y), (column_x, n1, column_y, n2, _) = sides
        lost = []
        for data, first, n, low, high in (
            (x, column_x, n1, 0, 0),
            (y, column_y, n2, self._order.min(), self._order.max()),
        ):
            missing = np.isnan(data[:, 0, first : first + n]).any(axis=1)
            before = np.concatenate([[0], np.cumsum(missing)])
            begin, stop = starts + low, starts + high + self._geometry.window
            lost.append(before[stop] > before[begin])
        return 2 * int((lost[0] | lost[1]).sum()) > starts.size

    def _odd_windows(self, sides: Any, starts: IntArray, out: Any, sums: FloatArray) -> int:
        """Do windows of imitation that something may be odd about; return what was found."""
        found = 0
        while starts.size > 0:
            done, left, what = self._carefully(sides, starts, out, (careful.GAPS, True), sums)
            found |= what
            if left > 0:
                last = (done - 1) % len(out[0]) + 1
                some = tuple(a[:last] for a in out)
                self._finish(sides, starts[done - last : done], some)
                if sums.size > 0:
                    imitation.add_windows(some[0], some[1], sums)
            starts = starts[done:]
        return found

    def _finish(self, sides: Any, starts: IntArray, out: Any) -> None:
        """Do what is left for float64, and for the definition."""
        _, _, states, redo, hard_x, hard_y = out
        if (states == careful.DOUBLE_GAPS).any():
            self._carefully(sides, starts, out, (careful.DOUBLE_GAPS, False), _NO_SUMS)
        if redo.any() or hard_x.any() or hard_y.any():
            careful.exactly(sides, starts, self._order, self._geometry, out)

    def _carefully(
        self, sides: Any, starts: IntArray, out: Any, plan: tuple[int, bool], sums: FloatArray
    ) -> tuple[int, int, int]:
        """Call `careful.carefully` in the precision of a state."""
        dtype = np.float64 if plan[0] == careful.DOUBLE_GAPS else np.float32
        panels, _, work = self._room(dtype)
        single = gaps.SINGLE if self._sizes[0] == 1 else gaps.SEVERAL
        moving = gaps.MOVING if self._geometry.coordination else gaps.STAYING
        room = panels, (self._geometry.registers, single, moving), work
        done, left, found = careful.carefully(
            sides, starts, self._lags(dtype), self._geometry, room, out, plan, sums
        )
        return done, left, found

    def _coordination(self, sides: Any, starts: IntArray, sums: FloatArray) -> tuple[int, Any]:
        """Do windows of coordination; return what was found, and their results."""
        out = self._results(starts.size)
        found, states = 0, out[2]
        for state, dtype in ((careful.PLAIN, np.float32), (careful.DOUBLE, np.float64)):
            if state == careful.PLAIN or (states == state).any():
                panels, changes, _ = self._room(dtype)
                found |= coordination.coordination(
                    sides, starts, self._lags(dtype), self._geometry, (panels, changes), out, state
                )
        if (states == careful.GAPS).any():
            self._carefully(sides, starts, out, (careful.GAPS, False), _NO_SUMS)
        self._finish(sides, starts, out)
        if sums.size > 0:
            imitation.add_windows(out[0], out[1], sums)
        return found, out

    def _results(self, windows: int) -> Any:
        """Return room for (r, lag, states, redo, hard_x, hard_y) of some windows."""
        if self._kept is None or len(self._kept[0]) < windows:
            _, (n1, n2), signals = self._sizes
            r, lag = (aligned(windows * n1, n2, np.float32) for _ in range(2))
            self._kept = (
                r.reshape(windows, n1, n2),
                lag.reshape(windows, n1, n2),
                np.zeros((windows, n1 // ROWS, n2 // COLUMNS), dtype=np.uint8),
                np.zeros((windows, n1, n2), dtype=np.uint8),
                np.zeros((windows, signals[0]), dtype=np.bool_),
                np.zeros((windows, signals[1]), dtype=np.bool_),
            )
        return tuple(array[:windows] for array in self._kept)

    def _room(self, dtype: type[np.floating[Any]]) -> Any:
        """Return panels, what changes from shift to shift, and room to work, in a precision."""
        if dtype not in self._rooms:
            d, padded, _ = self._sizes
            panels = new_panels(self._geometry, d, padded, self._order.size, dtype)
            changes: Any = None
            if self._geometry.coordination:
                changes = tuple(coordination.new_changes(panel, d) for panel in panels)
            self._rooms[dtype] = panels, changes, aligned(2 * d, ROWS * COLUMNS, dtype)
        return self._rooms[dtype]

    def _lags(self, dtype: type[np.floating[Any]]) -> imitation.Lags:
        """Return the lags' first frames in a stretch of y, and their values."""
        order = self._order
        net = order if self._geometry.coordination else order - order.min()
        return net, order.astype(dtype)


def _sides(task: Task, frames: tuple[int, int], *, scaled: bool) -> imitation.Sides:
    """Return the signals as the kernels take them."""
    x, column_x = rows(task.x, task.rows, frames, scaled=scaled)
    y, column_y = rows(task.y, task.columns, frames, scaled=scaled)
    return (x, y), (column_x, task.n1, column_y, task.n2, task.x.shape[2])
