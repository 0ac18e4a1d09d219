"""What is said and drawn of an offset."""

from __future__ import annotations

from pathlib import Path

from bitbox.errors import OutputError, ParameterError
from bitbox.files import reason
from bitbox.sync.finding import Offset

#: What has to be said wherever movements were compared.
WARNING = (
    "This offset is where the two people's movements match best. Never use it to test imitation on "
    "the same stretch: imitation would be found everywhere, at a latency of 0."
)


def require_html(path: Path) -> None:
    """Refuse a name that a browser would not take for a page.

    Raises
    ------
    ParameterError
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(
            "The figure is written as a page for a browser.",
            expected="a name that ends in .html",
            got=path.name,
        )


def write_figure(found: Offset, path: Path) -> Path:
    """Write the figure of an offset as a page that works offline.

    Raises
    ------
    OutputError
        The file cannot be written.
    BackendError
        Plotly isn't installed.
    """
    page = found.plot().to_html(include_plotlyjs=True, full_html=True)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"The figure cannot be written to {path}: {reason(error)}.") from error
    return path
