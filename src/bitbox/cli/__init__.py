"""The command `bitbox`: commands, what they print, and how they end."""

from bitbox.cli.commands import app
from bitbox.cli.entry import main, run

__all__ = ["app", "main", "run"]
