"""Signals as a table, as a file, and as a dictionary of Bitbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bitbox.errors import InputError, SchemaError
from bitbox.signals.bitbox_keys import BitboxKeys
from bitbox.signals.checks import FloatArray

if TYPE_CHECKING:
    import pandas as pd


class Tabled(BitboxKeys):
    """What Signals are turned into and made of; `Signals` holds the numbers."""

    values: FloatArray
    time: FloatArray
    names: tuple[str, ...]
    kind: str
    schema: str
    units: str
    dimension: int
    backend: str
    confidence: FloatArray | None
    provenance: Mapping[str, Any]

    def metadata(self) -> dict[str, Any]:
        """Return what describes the signals besides arrays and names, as JSON can hold it.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.metadata()['kind']
        'expression'
        """
        return {
            "kind": self.kind,
            "schema": self.schema,
            "units": self.units,
            "dimension": self.dimension,
            "backend": self.backend,
            "provenance": dict(self.provenance),
        }

    def to_frame(self, *, time: bool = True) -> pd.DataFrame:
        """Return a DataFrame, one column a signal, with the time in seconds as index.

        With ``time=False`` the index counts frames, as in Bitbox's dictionaries.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.to_frame().loc[1.0:2.0].shape
        (31, 3)
        """
        import pandas as pd

        index = pd.Index(self.time, name="time") if time else None
        return pd.DataFrame(self.values.copy(), columns=list(self.names), index=index)

    def _table(self) -> pd.DataFrame:
        return self.to_frame(time=False)

    def to_bitbox(self) -> dict[str, Any]:
        """Return a plain dictionary in Bitbox's layout.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.to_bitbox()['frame count']
        300
        """
        return dict(self.items())

    @classmethod
    def from_bitbox(cls, data: Mapping[str, Any], *, fps: float | None = None) -> Self:
        """Make Signals of a dictionary in Bitbox's layout.

        Parameters
        ----------
        data : mapping
            With ``type``, ``data`` (a DataFrame) and, where known, ``dimension``, ``schema``,
            ``time``, ``units``, ``backend``, ``confidence``.
        fps : float, optional
            Sampling rate, used where the dictionary has no ``time``; 30 if None.

        Raises
        ------
        SchemaError
            If the dictionary lacks a key or holds a type that isn't known.

        Examples
        --------
        >>> import pandas as pd
        >>> from bitbox.signals import Signals
        >>> data = {'type': 'expression', 'data': pd.DataFrame({'smile': [0.0, 0.5, 1.0]})}
        >>> Signals.from_bitbox(data, fps=25).time
        array([0.  , 0.04, 0.08])
        """
        from bitbox.signals.layout import from_dict

        return cls(**from_dict(data, fps))

    def to_csv(self, path: str | Path) -> Path:
        """Write time, values and confidence (if known) to a CSV file and return its path.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.to_csv('signals.csv').name
        'signals.csv'
        """
        from bitbox.signals.files import write_csv

        return write_csv(self.to_frame(), self.confidence, Path(path))

    def to_parquet(self, path: str | Path) -> Path:
        """Write everything to one Parquet file, in one step, and return its path.

        Raises
        ------
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.to_parquet('signals.parquet').name
        'signals.parquet'
        """
        from bitbox.signals.files import write_parquet

        return write_parquet(
            self.values, self.time, self.names, self.confidence, self.metadata(), Path(path)
        )

    @classmethod
    def from_parquet(cls, path: str | Path) -> Self:
        """Read what :meth:`to_parquet` wrote.

        Raises
        ------
        InputError
            If the file is missing, isn't Parquet or wasn't written by bitbox.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> Signals = type(signals)
        >>> Signals.from_parquet(signals.to_parquet('signals.parquet')) == signals
        True
        """
        from bitbox.signals.files import read_parquet

        arguments = read_parquet(Path(path))
        try:
            return cls(**arguments)
        except (InputError, SchemaError) as error:
            raise type(error)(
                f"{path}: {error.what}", expected=error.expected, got=error.got, todo=error.todo
            ) from error
