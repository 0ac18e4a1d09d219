"""The commands about stored measurements."""

from __future__ import annotations

from pathlib import Path

import click

from bitbox.cli.terminal import Terminal
from bitbox.cli.types import FILE


@click.group()
def cache() -> None:
    """List, keep for a time, or clear the measured signals in a folder."""


@cache.command("list")
@click.argument("folder", type=FILE)
@click.pass_obj
def list_cache(terminal: Terminal, /, folder: Path) -> None:
    """List what is stored in FOLDER (of a run: its cache folder)."""
    from bitbox.cli.presenting import show_cache

    show_cache(terminal, folder)


@cache.command("clear")
@click.argument("folder", type=FILE)
@click.option("--expired", is_flag=True, help="Only what is older than its retention period.")
@click.option("--recording", metavar="NAME", help="Only what was measured in this recording.")
@click.pass_obj
def clear_cache(terminal: Terminal, /, folder: Path, expired: bool, recording: str | None) -> None:
    """Remove measured signals from FOLDER; other files are left alone."""
    from bitbox.face_backend import Cache

    removed = Cache.at(folder).clear(expired_only=expired, recording=recording)
    terminal.show(f"{len(removed)} stored result(s) removed from {folder}.")


@cache.command("keep", short_help="Keep what is stored in FOLDER for a time.")
@click.argument("folder", type=FILE)
@click.argument("period", nargs=-1, required=True)
@click.pass_obj
def keep_cache(terminal: Terminal, /, folder: Path, period: tuple[str, ...]) -> None:
    """Keep what is stored in FOLDER for PERIOD: 2 weeks, 6 months, 1 year, forever."""
    from bitbox.face_backend import Cache

    stored = Cache.at(folder)
    stored.change_retention_period(" ".join(period))
    terminal.show(f"Results in {folder} are kept: {stored.retention}.")
