"""Tables on a page of the docs, between marks that say whose they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def put_tables(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put lines between the marks of a name, in place of what stands there.

    Raises
    ------
    SystemExit
        If the page has no such marks, or has them twice.
    """
    marked = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
    table = "\n".join(["", *lines, "", ""])
    text = page.read_text(encoding="utf-8")
    text, count = re.subn(marked, lambda m: m[1] + table + m[2], text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page.name} has no place for the tables.")
    page.write_text(text, encoding="utf-8")
