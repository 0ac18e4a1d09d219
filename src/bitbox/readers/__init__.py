"""Read the output of other tools into Signals."""

from bitbox.readers.events import read_events
from bitbox.readers.openpose import read_openpose
from bitbox.readers.signals_file import read_csv, read_signals
from bitbox.readers.threedi import read_threedi

__all__ = ["read_csv", "read_events", "read_openpose", "read_signals", "read_threedi"]
