"""Displaced windows of the reference as ordinary tasks of the engine.

After a circular shift by s, the windows of x from place s on meet places of y that lie s earlier,
and those before it meet places at the end of y. So a shift is two stretches of ordinary windows,
in which y only starts at another frame than x: views, nothing is copied. Permuted windows have no
such order; they are copied, one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import Task
from bitbox.correlation.plan import WindowPlan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Stretch(Task):
    """Some windows of a task, in jobs no larger than the whole task's, as they share its room."""

    most: int = 1

    @property
    def windows_per_job(self) -> int:
        return self.most


def shifted(task: Task, shifts: IntArray) -> Iterator[Task]:
    """Yield the stretches of every shift, whose windows add up to all of them.

    Parameters
    ----------
    task : Task
        What is correlated without a shift.
    shifts : (m,) array of int
        From 0 to less than the number of places.
    """
    plan = task.plan
    _check_finite(task)
    whole = _Stretch(**vars(task), most=task.windows_per_job)

    def stretch(first: int, stop: int, shift: int) -> _Stretch:
        begin = first * plan.step
        frames = (stop - first - 1) * plan.step + plan.n_frames_needed
        x, y = task.x[begin : begin + frames], task.y[begin - shift : begin - shift + frames]
        return replace(whole, x=x, y=y, plan=replace(plan, n_frames=frames))

    for shift in shifts.tolist():
        first = min(-(-shift // plan.step), plan.n_windows)
        if first < plan.n_windows:
            yield stretch(first, plan.n_windows, shift)
        if first > 0:
            yield stretch(0, first, shift - plan.n_places)


def permuted(task: Task, permutations: IntArray) -> Iterator[Task]:
    """Yield a task for every permutation, its windows glued together with their margins.

    Parameters
    ----------
    task : Task
        What is correlated without permuting.
    permutations : (m, windows) array of int
        Which window of y each window of x meets.
    """
    plan = task.plan
    blocks = replace(
        task, x=_blocks(task.x, plan, np.arange(plan.n_windows)), plan=_glued_plan(plan)
    )
    for windows in permutations:
        yield replace(blocks, y=_blocks(task.y, plan, windows))


def _check_finite(task: Task) -> None:
    """Refuse infinite values here, where the frame can still be named."""
    if np.isinf(task.x).any() or np.isinf(task.y).any():
        task.laid_out(0, task.plan.n_frames)


def _glued_plan(plan: WindowPlan) -> WindowPlan:
    """Return the plan for windows that lie one after another, each with its own margins."""
    block = plan.window + 2 * plan.max_lag
    frames = block * plan.n_windows
    return WindowPlan(frames, plan.fps, plan.window, block, plan.max_lag, plan.mode, plan.causal)


def _blocks(data: FloatArray, plan: WindowPlan, windows: IntArray) -> FloatArray:
    """Return the chosen windows with their margins, one after another.

    A causal plan does not look to the right; its last margins may lie beyond the end, and are
    missing.
    """
    block = np.arange(-plan.max_lag, plan.window + plan.max_lag)
    frames = (plan.starts[windows][:, None] + block).ravel()
    out: FloatArray = data[np.minimum(frames, plan.n_frames - 1)].astype(np.float64)
    out[frames >= plan.n_frames] = np.nan
    return out
