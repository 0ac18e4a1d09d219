"""Recordings that did not start together: by how much, from what both heard or saw."""

from bitbox.sync.finding import Offset, compare, offset

__all__ = ["Offset", "compare", "offset"]
