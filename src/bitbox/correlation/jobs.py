"""Work in jobs: over threads, in order, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bitbox.errors import ParameterError
from bitbox.system.cores import cores

A = TypeVar("A")
T = TypeVar("T")


def in_order(
    job: Callable[[A], T], arguments: Iterable[A], threads: int | None, *, ahead: int = 2
) -> Iterator[T]:
    """Yield the results of a job for each argument, in order, a few at a time.

    The calling thread does its share. Only so many results wait, `ahead` for each thread, whatever
    the number of jobs; an interruption stops the work after the jobs at hand.
    """
    count = thread_count(threads)
    if count == 1:
        yield from map(job, arguments)
        return
    waiting: list[tuple[Future[T], A]] = []
    with ThreadPoolExecutor(count - 1, thread_name_prefix="bitbox-correlation") as pool:
        try:
            for argument in arguments:
                waiting.append((pool.submit(job, argument), argument))
                if len(waiting) > ahead * count:
                    yield _first(waiting, job)
            while waiting:
                yield _first(waiting, job)
        finally:
            for future, _ in waiting:
                future.cancel()


def _first(waiting: list[tuple[Future[T], A]], job: Callable[[A], T]) -> T:
    """Return the first result; until it is there, do jobs that no thread has begun, in order."""
    for k, (future, argument) in enumerate(waiting):
        if waiting[0][0].done():
            break
        if future.cancel():
            mine: Future[T] = Future()
            try:
                mine.set_result(job(argument))
            except Exception as error:  # noqa: BLE001 - raised when its turn comes
                mine.set_exception(error)
            waiting[k] = mine, argument
    return waiting.pop(0)[0].result()


def thread_count(threads: int | None) -> int:
    """Return how many threads to use: as many as this process may run on if None."""
    if threads is None:
        return cores()
    if threads < 1:
        raise ParameterError(
            "The number of threads makes no sense.", expected="1 or more", got=repr(threads)
        )
    return int(threads)
