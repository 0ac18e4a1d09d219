"""``python -m bitbox`` is the command."""

from __future__ import annotations

import os

from bitbox.system.interrupts import Stopped, ending_in_order
from bitbox.system.memory import collect_no_more, collect_seldom


def main() -> None:
    """Run the command; an interruption is heard from the beginning, while it still loads."""
    collect_seldom()
    try:
        with ending_in_order():
            from bitbox.cli import main as command

            command()
    except Stopped as stopped:
        os._exit(stopped.exit_code)
    finally:
        collect_no_more()


if __name__ == "__main__":
    main()
