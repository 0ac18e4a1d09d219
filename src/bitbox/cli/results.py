"""What `bitbox info` prints of a folder of results."""

from __future__ import annotations

from pathlib import Path

from bitbox.cli.terminal import Terminal
from bitbox.workflow.results_folder import check_results


def show_results(terminal: Terminal, folder: Path) -> None:
    """Check that all results are whole and of one run, and print of which."""
    record = check_results(folder)
    terminal.show(f"{folder}: results, whole and of one run", style="bold")
    facts = {
        "finished": record.get("finished"),
        **{role: source.get("file") for role, source in record.get("inputs", {}).items()},
        "openbitbox": record.get("versions", {}).get("bitbox"),
        "results": ", ".join(record["files"]),
    }
    for name, fact in facts.items():
        terminal.show(f"  {name:<15} {fact}")
