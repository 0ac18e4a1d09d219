"""Figures and the HTML report."""

from typing import TYPE_CHECKING, Any

from bitbox.report.content import LagSurface, Person, ReportContent, Thumbnail

if TYPE_CHECKING:
    from bitbox.report.html import write_report

__all__ = ["LagSurface", "Person", "ReportContent", "Thumbnail", "write_report"]


def __getattr__(name: str) -> Any:
    """Load the page and its drawings when a report is written, not with every result."""
    if name != "write_report":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bitbox.report.html import write_report

    return write_report
