"""What one thread works with, and how the windows of a job are done."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import careful
from bitbox.correlation.geometry import COLUMNS, MOVING, ONE, ROWS, SEVERAL, STAYING
from bitbox.correlation.moments import STRANGE, aligned, new_room
from bitbox.correlation.sums import add_windows
from bitbox.correlation.task import Task, refuse_infinite, rows

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

_NO_SUMS = np.empty((0, 0, 0))
# Results that are kept before they are added up, in bytes: the processor still has them at hand.
_KEPT = 2**18


class Workspace:
    """Computes the windows of jobs.

    Parameters
    ----------
    task : Task
        One of those that will be worked on: all have its geometry and its numbers of signals.
    """

    def __init__(self, task: Task) -> None:
        geometry, d = task.geometry, task.x.shape[2]
        self._geometry, self._order = geometry, task.order
        self._signals, self._padded = (task.n1, task.n2), task.padded
        self._kinds = (
            geometry.registers,
            MOVING if geometry.coordination else STAYING,
            ONE if d == 1 else SEVERAL,
        )
        self._room = new_room(geometry, d, task.padded)
        self._kept: Any = None

    @property
    def states(self) -> Any:
        """How the tiles of the last windows were done (windows, tiles of x, of y)."""
        return self._kept[2]

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
        n1, n2 = self._padded
        some = starts.size if sums.size == 0 else max(16, _KEPT // (8 * n1 * n2))
        for scaled in (False, True):
            sums.fill(0.0)
            sides = _sides(task, (begin, stop), scaled=scaled)
            odd, found = int(self._most_miss_frames(sides, starts)), 0
            for k in range(0, starts.size, some):
                what, out = self._some(sides, starts[k : k + some], odd)
                found |= what
                if sums.size > 0:
                    add_windows(out[0], out[1], sums)
            if not found & STRANGE:
                break
            refuse_infinite(task)
        return out

    def _some(self, sides: Any, starts: IntArray, odd: int) -> tuple[int, Any]:
        """Do some windows; return what was found, and their results."""
        out = self._results(starts.size)
        order, geometry = self._order, self._geometry
        found, left = careful.windows(
            sides, starts, order, geometry, self._kinds, self._room, out, odd
        )
        if left > 0:
            careful.exactly(sides, starts, order, geometry, out)
        return found, out

    def _most_miss_frames(self, sides: Any, starts: IntArray) -> bool:
        """Return whether most windows miss frames, so that few could be done as they are."""
        (x, y), (column_x, n1, column_y, n2, _) = sides
        if self._geometry.coordination:
            return True  # where all moments are wanted anyway
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

    def _results(self, windows: int) -> Any:
        """Return room for `careful.Results` of some windows."""
        if self._kept is None or len(self._kept[0]) < windows:
            n1, n2 = self._padded
            r, lag = (aligned(windows * n1, n2, np.float32) for _ in range(2))
            self._kept = (
                r.reshape(windows, n1, n2),
                lag.reshape(windows, n1, n2),
                np.zeros((windows, n1 // ROWS, n2 // COLUMNS), dtype=np.uint8),
                np.zeros((windows, n1, n2), dtype=np.uint8),
                np.zeros((windows, sum(self._signals)), dtype=np.uint8),
            )
        return tuple(array[:windows] for array in self._kept)


def _sides(task: Task, frames: tuple[int, int], *, scaled: bool) -> careful.Sides:
    """Return the signals as the kernels take them."""
    x, column_x = rows(task.x, task.rows, frames, scaled=scaled)
    y, column_y = rows(task.y, task.columns, frames, scaled=scaled)
    return (x, y), (column_x, task.n1, column_y, task.n2, task.x.shape[2])
