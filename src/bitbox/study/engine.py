"""Running the jobs of a study on Dask: here, on a scheduler that exists, or through Slurm.

Dask decides what runs where, runs again what was lost with a worker, and gives up on what kills
its worker several times. Here is only what a study adds: each recording is measured once however
many pairs use it, and no more is submitted than the workers can soon begin with, so that ten
thousand pairs are as little to keep in mind as a hundred.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bitbox.correlation.jobs import thread_count
from bitbox.errors import BackendError, InputError, ParameterError
from bitbox.files import reason
from bitbox.study.pair import Job, compare, ended, measure
from bitbox.study.pairing_scores import Row, score
from bitbox.system.extras import need
from bitbox.workflow.recordings import Role, is_video

_AHEAD = 4  # pairs that are submitted a worker
_MEMORY = 2_000_000_000  # bytes that a worker may need


def run_jobs(jobs: Iterable[Job], client: Any) -> Iterator[dict[str, Any]]:
    """Run jobs on a Dask client and yield what `compare` returned, as they end.

    Parameters
    ----------
    jobs : iterable of Job
        Taken as they are needed.
    client : distributed.Client
        Where they run. All workers need to see the files under the same names.

    Yields
    ------
    dict
        See `bitbox.study.pair.ended`.
    """
    measured: dict[str, Any] = {}
    submitted = ((job.name, lambda job=job: _submit(client, job, measured)) for job in jobs)
    yield from _as_they_end(submitted, client)


def run_rows(rows: Iterable[Row], client: Any) -> Iterator[dict[str, Any]]:
    """Score pairings on a Dask client; as `run_jobs`, of what `score` returned."""
    submitted = (
        (
            row.job.name,
            lambda row=row: client.submit(score, row, key=f"pairings-{row.job.name}", pure=False),
        )
        for row in rows
    )
    yield from _as_they_end(submitted, client)


def _as_they_end(
    tasks: Iterable[tuple[str, Callable[[], Any]]], client: Any
) -> Iterator[dict[str, Any]]:
    """Submit tasks, no more than can soon be begun, and yield what they return."""
    from distributed import as_completed

    remaining = iter(tasks)
    running: dict[str, str] = {}
    done = as_completed(loop=client.loop)

    def submit_next() -> None:
        name, submit = next(remaining, (None, None))
        if name is not None and submit is not None:
            future = submit()
            running[future.key] = name
            done.add(future)

    for _ in range(_AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))):
        submit_next()
    for future in done:
        name = running.pop(future.key)
        failure = future.exception()
        yield future.result() if failure is None else ended(name, _lost(failure))
        submit_next()


def _submit(client: Any, job: Job, measured: dict[str, Any]) -> Any:
    needed = []
    for path, role in job.recordings():
        if is_video(path):
            key = _recording_key(job, role)
            if key not in measured:
                measured[key] = client.submit(measure, job, role, key=key, pure=False)
            needed.append(measured[key])
    return client.submit(compare, job, *needed, key=f"compare-{job.name}", pure=False)


def _recording_key(job: Job, role: Role) -> str:
    how = job.settings.loading(role), job.settings.signals, job.sources[role]
    return "measure-" + hashlib.sha256(json.dumps(how, default=str).encode()).hexdigest()


def _lost(failure: BaseException) -> BackendError:
    if type(failure).__name__ == "KilledWorker":
        return BackendError(
            "The processes that worked on it were killed again and again, most likely because "
            "there was not enough memory.",
            todo="Use fewer workers.",
        )
    return BackendError(f"Dask could not do it: {reason(failure)}.")


@contextlib.contextmanager
def local_client(workers: int | None = None) -> Iterator[Any]:
    """Give a Dask client with workers on this computer, one thread each.

    Parameters
    ----------
    workers : int, optional
        How many; None: as many as there are cores, and memory for.

    Raises
    ------
    ParameterError
        Not a positive number.
    BackendError
        Dask is not installed.
    """
    need("A study", "distributed")
    from distributed import Client, LocalCluster

    if workers is not None and workers < 1:
        raise ParameterError("The number of workers makes no sense.", got=str(workers))
    count = workers or min(thread_count(None), max(1, _memory() // _MEMORY))
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )
    with cluster, Client(cluster) as client:
        yield client


@contextlib.contextmanager
def existing_client(address: str) -> Iterator[Any]:
    """Give a Dask client of a scheduler that runs somewhere, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        Nobody answers there.
    BackendError
        Dask is not installed.
    """
    need("A study", "distributed")
    from distributed import Client

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} ({reason(error)}).",
            expected="an address such as tcp://10.0.0.1:8786",
            todo="Start one there with 'dask scheduler', and workers with 'dask worker'.",
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def slurm_client(config: Path) -> Iterator[Any]:
    """Give a Dask client with workers that Slurm starts.

    Parameters
    ----------
    config : Path
        YAML: the arguments of `dask_jobqueue.SLURMCluster`, and ``jobs``: how many to start.
    """
    from distributed import Client

    settings = _slurm_settings(config)
    jobs = int(settings.pop("jobs", 1))
    with _slurm_cluster(config, settings) as cluster, Client(cluster) as client:
        cluster.scale(jobs=jobs)
        yield client


def slurm_script(config: Path) -> str:
    """Return the script that would be handed to Slurm for each worker; nothing is started.

    Parameters
    ----------
    config : Path
        As for `slurm_client`.

    Raises
    ------
    InputError
        The file cannot be used.
    BackendError
        dask-jobqueue is not installed.
    """
    settings = _slurm_settings(config)
    settings.pop("jobs", None)
    with _slurm_cluster(config, settings) as cluster:
        return str(cluster.job_script())


def _slurm_settings(config: Path) -> dict[str, Any]:
    need("Slurm", "dask_jobqueue")
    import yaml

    try:
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{config} cannot be read as YAML: {reason(error)}.") from error
    if not isinstance(settings, dict):
        raise InputError(
            f"{config} holds no settings.",
            expected="lines such as 'queue: main', 'cores: 4', 'memory: 16GB', 'jobs: 10'",
        )
    return settings


def _slurm_cluster(config: Path, settings: dict[str, Any]) -> Any:
    from dask_jobqueue import SLURMCluster

    try:
        return SLURMCluster(**settings)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{config} cannot be used: {reason(error)}.",
            expected="the arguments of dask_jobqueue.SLURMCluster, and 'jobs'",
        ) from error


def dashboard(client: Any) -> str | None:
    """Return where Dask's dashboard is to be seen, or None without bokeh."""
    return str(client.dashboard_link) if _has_dashboard() else None


def _has_dashboard() -> bool:
    return importlib.util.find_spec("bokeh") is not None


def _memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available)
