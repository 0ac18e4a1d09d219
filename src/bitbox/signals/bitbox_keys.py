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
        """Return Bitbox's keys.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.keys()[:3]
        ('type', 'schema', 'dimension')
        """
        return KEYS

    def items(self) -> list[tuple[str, Any]]:
        """Return pairs of Bitbox's keys and what they hold.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> dict(signals.items())['type']
        'expression'
        """
        return [(key, self[key]) for key in KEYS]

    def get(self, key: str, default: Any = None) -> Any:
        """Return what Bitbox's dictionary holds under `key`, or `default`.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.get('type'), signals.get('colour', 'none')
        ('expression', 'none')
        """
        return self[key] if key in KEYS else default
