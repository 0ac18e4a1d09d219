"""Work in jobs: some windows at a time, over threads, in order, in bounded memory."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.layout import laid_out, rows
from bitbox.correlation.plan import MIN_WINDOW, WindowPlan
from bitbox.errors import ParameterError, SchemaError
from bitbox.progress import Progress

if TYPE_CHECKING:
    from bitbox.correlation.exact import Geometry

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
A = TypeVar("A")
T = TypeVar("T")

#: What to do with some windows: first of them, correlations, lags.
Use = Callable[[int, NDArray[np.float32], NDArray[np.float32]], T]

#: Products that a job of some windows should take: about a millisecond's work, so that threads
#: share evenly and an interruption is noticed at once.
_JOB = 6e7


@dataclass(frozen=True, eq=False)
class Task:
    """Two sets of signals and what to do with them.

    x and y are as they were given; what the kernels need is laid out piece by piece, so that memory
    does not grow with the recording. `rows` and `columns` are the signals of x and of y that are
    correlated. A `shift` turns y in a circle, frame t becoming t + shift.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    plan: WindowPlan
    geometry: Geometry
    order: NDArray[np.int64]
    rows: slice
    columns: slice

    @classmethod
    def prepare(
        cls, x: FloatArray, y: FloatArray, plan: WindowPlan, *, polarity: bool, min_valid: float
    ) -> Task:
        """Check the arguments."""
        from bitbox.correlation import exact

        first, second = _checked(x, "x", plan), _checked(y, "y", plan)
        if first.shape[2] != second.shape[2]:
            raise SchemaError(
                "Signals with different numbers of coordinates cannot be correlated.",
                expected=f"{first.shape[2]} coordinates in y, as in x",
                got=str(second.shape[2]),
            )
        terms = plan.window * first.shape[2]
        geometry = exact.Geometry(
            plan.window,
            plan.max_lag,
            frames_needed(plan, min_valid),
            plan.mode == "coordination",
            bool(polarity),
            register_file(),
            float32_limit(terms) if plan.mode == "imitation" else slide_limit(plan, terms),
        )
        signals = slice(0, first.shape[1]), slice(0, second.shape[1])
        return cls(first, second, plan, geometry, tie_order(plan), *signals)

    @property
    def n1(self) -> int:
        """The number of x's signals."""
        return int(self.rows.stop - self.rows.start)

    @property
    def n2(self) -> int:
        """The number of y's signals."""
        return int(self.columns.stop - self.columns.start)

    def run(
        self, use: Use[T], threads: int | None, progress: Progress | None, shift: int = 0
    ) -> Iterator[T]:
        """Yield what ``use(first window, r, lag)`` makes of some windows, in order.

        It is called in the threads. r and lag (frames), (windows, n1 or more, n2 or more), float32,
        are overwritten afterwards.
        """
        for count, made in run_all([(self, shift)], lambda _, *some: use(*some), threads):
            yield made
            if progress is not None:
                progress("Correlating", count, self.plan.n_windows)

    @property
    def windows_per_job(self) -> int:
        """How many windows make a job; the same for any number of threads."""
        pairs = self.n1 * self.n2
        cost = pairs * self.order.size * self.plan.window * self.x.shape[2]
        most = max(1, int(8e6 / pairs))
        size = min(max(1 if self.geometry.coordination else 4, _JOB / cost), most, 4096)
        return -(-self.plan.n_windows // math.ceil(self.plan.n_windows / size))

    @property
    def padded(self) -> tuple[int, int]:
        """The numbers of signals in whole tiles."""
        from bitbox.correlation import tiles

        return whole(self.n1, tiles.ROWS), whole(self.n2, tiles.COLUMNS)

    def room(self) -> Room:
        """Return room for what a job computes."""
        from bitbox.correlation import tiles

        n1, n2 = self.padded
        windows = self.windows_per_job
        return Room(
            np.empty((windows, n1, n2), dtype=np.float32),
            np.empty((windows, n1, n2), dtype=np.float32),
            np.empty(windows, dtype=np.int64),
            np.empty((windows, n1 // tiles.ROWS, n2 // tiles.COLUMNS), dtype=np.uint8),
            np.empty((windows, self.n1), dtype=np.bool_),
            np.empty((windows, self.n2), dtype=np.bool_),
            {},
        )

    def laid_out(self, begin: int, end: int, shift: int = 0) -> tuple[FloatArray, FloatArray]:
        """Return some frames of x and y laid out for the kernels, padded to whole tiles."""
        from bitbox.correlation import tiles

        return (
            laid_out(self.x[:, self.rows], (begin, end), "x", tiles.ROWS),
            laid_out(self.y[:, self.columns], (begin - shift, end - shift), "y", tiles.COLUMNS),
        )

    def fill(self, first: int, room: Room, shift: int = 0) -> tuple[SingleArray, SingleArray]:
        """Compute some windows, each part of them in the cheapest way that is accurate."""
        plan = self.plan
        starts = plan.starts[first : first + self.windows_per_job]
        begin = int(starts[0]) - plan.max_lag
        after = plan.max_lag if plan.two_sided else 0
        frames = begin, int(starts[-1]) + plan.window + after
        fill = self._coordination if self.geometry.coordination else self._imitation
        fill(frames, shift, starts - begin, room)
        r, lag, *_ = room.results(len(starts))
        return r, lag

    def _imitation(
        self, frames: tuple[int, int], shift: int, starts: NDArray[np.int64], room: Room
    ) -> None:
        from bitbox.correlation import kernels

        x, column_x = rows(self.x, self.rows, *frames)
        y, column_y = rows(self.y, self.columns, frames[0] - shift, frames[1] - shift)
        sides: Any = (x, y), (column_x, self.n1, column_y, self.n2, self.x.shape[2])
        out = room.results(len(starts))
        _, _, odd, states, hard_x, hard_y = out
        single = room.panels(self, np.float32)
        kernels.imitation(sides, starts, *single, out[:3])
        if not odd.any():
            return
        if kernels.imitation_odd(sides, starts, *single, out):
            laid = self.laid_out(*frames, shift)
            flat = tuple(a.reshape(-1, a.shape[2]) for a in laid)
            sides = flat, (0, self.n1, 0, self.n2, self.x.shape[2])
            kernels.imitation(sides, starts, *single, out[:3])
            kernels.imitation_odd(sides, starts, *single, out)
        if (states == kernels.FAR).any():
            kernels.imitation_far(sides, starts, *room.panels(self, np.float64), out)
        some_gaps = (states == kernels.GAPS).any()
        if some_gaps:
            kernels.imitation_gaps(sides, starts, *single, out)
        if some_gaps or hard_x.any() or hard_y.any():
            laid = self.laid_out(*frames, shift)
            kernels.exactly(*laid, starts, self.order, self.geometry, out)

    def _coordination(
        self, frames: tuple[int, int], shift: int, starts: NDArray[np.int64], room: Room
    ) -> None:
        from bitbox.correlation import coordination, kernels

        out = room.results(len(starts))
        r, lag, _, states, hard_x, hard_y = out
        laid = self.laid_out(*frames, shift)
        padded = (
            np.empty((len(starts), laid[0].shape[2]), dtype=np.bool_),
            np.empty((len(starts), laid[1].shape[2]), dtype=np.bool_),
        )
        some = r, lag, states, *padded
        coordination.coordination(*laid, starts, self.order, self.geometry, some)
        hard_x[:], hard_y[:] = padded[0][:, : self.n1], padded[1][:, : self.n2]
        some_gaps = (states == kernels.GAPS).any()
        if some_gaps:
            coordination.coordination_gaps(*laid, starts, self.order, self.geometry, some)
        if some_gaps or hard_x.any() or hard_y.any():
            kernels.exactly(*laid, starts, self.order, self.geometry, out)


@dataclass(frozen=True, eq=False)
class Room:
    """Arrays that one thread's jobs write to, one after another.

    Attributes
    ----------
    r, lag : (windows, n1, n2) array
        In whole tiles.
    odd, states : (windows,) and (windows, n1 / ROWS, n2 / COLUMNS) array
        See `kernels`.
    hard_x, hard_y : (windows, signals) array
        Signals that the exact kernel must do.
    made : dict
        Panels, made when first needed.
    """

    r: SingleArray
    lag: SingleArray
    odd: NDArray[np.int64]
    states: NDArray[np.uint8]
    hard_x: NDArray[np.bool_]
    hard_y: NDArray[np.bool_]
    made: dict[str, Any]

    def results(self, windows: int) -> tuple[Any, ...]:
        """Return the arrays of some windows."""
        arrays = self.r, self.lag, self.odd, self.states, self.hard_x, self.hard_y
        return tuple(a[:windows] for a in arrays)

    def panels(self, task: Task, dtype: type[np.floating[Any]]) -> tuple[Any, Any, Any]:
        """Return lags, geometry and panels, as the kernels take them."""
        from bitbox.correlation import kernels

        if dtype.__name__ not in self.made:
            width, d, order = task.plan.window, task.x.shape[2], task.order
            panels = kernels.new_room(width, d, task.padded, order.size, dtype)
            lags = order - order.min(), order.astype(dtype)
            self.made[dtype.__name__] = lags, task.geometry, panels
        lags, geometry, panels = self.made[dtype.__name__]
        return lags, geometry, panels


def run_all(
    tasks: Iterable[tuple[Task, int]],
    use: Callable[[int, int, SingleArray, SingleArray], T],
    threads: int | None,
) -> Iterator[tuple[int, T]]:
    """Yield (windows done, what ``use(number of the task, first window, r, lag)`` made), in order.

    The tasks, each with a shift of y, have the same plan and numbers of coordinates.
    """
    jobs = (
        (number, task, shift, first)
        for number, (task, shift) in enumerate(tasks)
        for first in range(0, task.plan.n_windows, task.windows_per_job)
    )
    rooms = threading.local()

    def job(which: tuple[int, Task, int, int]) -> tuple[int, T]:
        number, task, shift, first = which
        signals = task.n1, task.n2
        if getattr(rooms, "signals", None) != signals:
            rooms.signals, rooms.room = signals, task.room()
        r, lag = task.fill(first, rooms.room, shift)
        return len(r), use(number, first, r, lag)

    done = 0
    for count, made in in_order(job, jobs, threads):
        done += count
        yield done, made


def in_order(job: Callable[[A], T], arguments: Iterable[A], threads: int | None) -> Iterator[T]:
    """Yield the results of a job for each argument, in order, a few at a time.

    Only as many results wait as there are threads to fill, whatever the number of jobs; an
    interruption stops the work after the jobs at hand.
    """
    count = thread_count(threads)
    if count == 1:
        yield from map(job, arguments)
        return
    waiting: list[Future[T]] = []
    pool = ThreadPoolExecutor(count)
    try:
        for argument in arguments:
            waiting.append(pool.submit(job, argument))
            if len(waiting) > 2 * count:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def thread_count(threads: int | None) -> int:
    """Return how many threads to use: as many as this process may run on if None."""
    if threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if threads < 1:
        raise ParameterError(
            "The number of threads makes no sense.", expected="1 or more", got=repr(threads)
        )
    return int(threads)


def register_file() -> tuple[int, ...]:
    """Return which register file the tiles are to be written for.

    The environment variable BITBOX_REGISTERS ('wide' or 'narrow') overrides what the processor
    says; wide code runs anywhere, only slower.
    """
    from llvmlite import binding

    from bitbox.correlation import tiles

    asked = os.environ.get("BITBOX_REGISTERS", "")
    if asked not in {"", "wide", "narrow"}:
        raise ParameterError(
            "The environment variable BITBOX_REGISTERS makes no sense.",
            expected="'wide' or 'narrow'",
            got=repr(asked),
        )
    wide = binding.get_host_cpu_features().get("avx512f", False)
    return tiles.WIDE if asked == "wide" or (wide and asked != "narrow") else tiles.NARROW


def float32_limit(terms: int) -> float:
    """Return the squared offset up to which float32 sums of so many terms are good to 2e-6.

    docs/engine.md derives it: with sums of short sums the rounding error of r has a standard
    deviation of about ``unit * rho * sqrt(BLOCK / 3 / blocks + blocks / 3 + 2) / 2``, where rho
    squared is 1 + the squared offset; nine of these must fit.
    """
    from bitbox.correlation.tiles import BLOCK

    blocks = max(1.0, terms / BLOCK)
    deviation = 2.0**-24 * math.sqrt(BLOCK / 3 / blocks + blocks / 3 + 2) / 2
    return max(0.0, (2e-6 / (9 * deviation)) ** 2 - 1)


def slide_limit(plan: WindowPlan, terms: int) -> float:
    """Return how uneven two signals may move, together, for float32 to slide well.

    docs/engine.md derives it. A sum that slides keeps the rounding errors of all its steps, and
    where values repeat, these errors all have the same sign.
    """
    steps = 4 * plan.max_lag * terms / plan.window
    return 2e-6 / (2.0**-24 * max(8.0, steps / 8))


def frames_needed(plan: WindowPlan, min_valid: float) -> int:
    """Return how many frames of a window must be valid, at least three."""
    if not 0 <= min_valid <= 1:
        raise ParameterError(
            "The share of valid frames makes no sense.",
            expected="a number from 0 to 1",
            got=repr(min_valid),
        )
    return max(MIN_WINDOW, math.ceil(min_valid * plan.window - 1e-9))


def tie_order(plan: WindowPlan) -> NDArray[np.int64]:
    """Return the lags in the order in which a tie prefers them: nearest zero, then negative."""
    return np.array(sorted(plan.lags.tolist(), key=lambda lag: (abs(lag), lag)), dtype=np.int64)


def whole(count: int, multiple: int) -> int:
    """Return a count rounded up to a multiple."""
    return -(-count // multiple) * multiple


def _checked(data: FloatArray, name: str, plan: WindowPlan) -> NDArray[Any]:
    """Return (frames, signals, coordinates), or raise."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiu":
        array = array.astype(np.float64)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape[1:]:
        raise SchemaError(
            f"The array {name} has a shape that cannot be correlated.",
            expected="(frames, signals, coordinates)",
            got=str(np.shape(data)),
        )
    if array.shape[0] != plan.n_frames:
        raise SchemaError(
            f"The array {name} does not fit the window plan.",
            expected=f"{plan.n_frames} frames",
            got=str(array.shape[0]),
        )
    return array
