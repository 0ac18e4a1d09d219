"""Figures and the HTML report."""

from bitbox.report.content import LagSurface, Person, ReportContent, Thumbnail
from bitbox.report.html import write_report

__all__ = ["LagSurface", "Person", "ReportContent", "Thumbnail", "write_report"]
