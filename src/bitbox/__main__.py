"""``python -m bitbox`` is the command."""

from bitbox.cli import main

main()
