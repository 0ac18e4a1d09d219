"""A page that holds all it needs: a template filled in, with its scripts and style inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

from bitbox.report.tables import number, shown
from bitbox.system.extras import need


def own_file(name: str) -> str:
    """Return the text of one of our own style sheets or scripts."""
    return (resources.files("bitbox.report") / "templates" / name).read_text(encoding="utf-8")


def filled(
    template: str, scripts: Sequence[str], style: str, *, data: tuple[str, str], **context: Any
) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        Name of the file. All that is filled in is escaped.
    scripts : sequence of str
        Code that the page may run; it may run no other.
    style : str
        The style sheet.
    data : (str, str)
        Name and JSON text of what the scripts read, made safe by `safe_json`.
    **context
        What the template shows.

    Raises
    ------
    BackendError
        Jinja is not installed.
    """
    need("Making the report", "jinja2", "markupsafe")
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("bitbox.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "number": number}
    return environment.get_template(template).render(
        **context,
        **{data[0]: Markup(data[1])},  # noqa: S704 - escaped by safe_json
        style=Markup(style),  # noqa: S704 - our own file
        scripts=[Markup(code) for code in scripts],  # noqa: S704 - our own files, and Plotly's
        hashes=[_digest(code) for code in scripts],
    )


def _digest(code: str) -> str:
    """Return what a content security policy knows a script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def safe_json(text: str) -> str:
    """Escape in JSON whatever a script element, or an old JavaScript, would trip over."""
    for character in "<>&'\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
