"""The commands about the models that newer versions of MediaPipe lack."""

from __future__ import annotations

from pathlib import Path

import click

from bitbox.cli.terminal import Terminal
from bitbox.cli.types import FILE


@click.group(short_help="List or install models, for Python 3.13 and later.")
def models() -> None:
    """List or install the models of faces and bodies that newer versions of MediaPipe lack."""


@models.command("list")
@click.pass_obj
def list_models(terminal: Terminal, /) -> None:
    """Say which models are there, and where."""
    from bitbox.cli.presenting import show_models
    from bitbox.measuring.models import require_mediapipe

    require_mediapipe()
    show_models(terminal)


@models.command("install", short_help="Get the models, once, for Python 3.13 and later.")
@click.option(
    "--wheel",
    type=FILE,
    metavar="FILE",
    help="Take them from this file instead of fetching it: MediaPipe 0.10.21's wheel, of any "
    "platform.",
)
@click.pass_obj
def install_models(terminal: Terminal, /, wheel: Path | None) -> None:
    """Install the models of faces and bodies, once, for Python 3.13 and later.

    MediaPipe up to 0.10.21 brings its models along; newer versions do not. This fetches the wheel
    of 0.10.21 (36 MB) from the package index that your pip or uv is set up for, checks it, and
    keeps only the models, in your cache folder, with their licence (Apache 2.0) beside them.
    """
    from bitbox.cli.presenting import show_models
    from bitbox.measuring import models as files

    files.require_mediapipe()
    if not files.brings_models():
        if wheel is None and not all(map(files.is_installed, files.BUNDLES)):
            terminal.say("Getting the models out of MediaPipe 0.10.21 (36 MB, once) ...")
        files.install_models(wheel)
    show_models(terminal)
