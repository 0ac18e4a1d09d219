"""Signals as Bitbox's dictionaries: a read-only mapping with their keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KEYS = (
    "type",
    "schema",
    "dimension",
    "frame count",
    "data",
    "time",
    "units",
    "backend",
    "confidence",
    "provenance",
)
#: Attributes that have another name than the key.
_ATTRIBUTES = {"type": "kind", "frame count": "n_frames"}


class BitboxKeys:
    """What reads like a dictionary of Bitbox: attributes under its keys, and a table as `data`."""

    def _table(self) -> Any:
        """Return the values as a DataFrame whose index counts frames."""
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        """Return what Bitbox's dictionary holds under this key."""
        if key not in KEYS:
            raise KeyError(key)
        return self._table() if key == "data" else getattr(self, _ATTRIBUTES.get(key, key))

    def __iter__(self) -> Iterator[str]:
        return iter(KEYS)

    def __len__(self) -> int:
        return len(KEYS)

    def __contains__(self, key: object) -> bool:
        return key in KEYS

    def keys(self) -> tuple[str, ...]:
        """Return Bitbox's keys."""
        return KEYS

    def items(self) -> list[tuple[str, Any]]:
        """Return pairs of Bitbox's keys and what they hold."""
        return [(key, self[key]) for key in KEYS]

    def get(self, key: str, default: Any = None) -> Any:
        """Return what Bitbox's dictionary holds under `key`, or `default`."""
        return self[key] if key in KEYS else default
