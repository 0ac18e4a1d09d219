"""Read the output of other tools into Signals."""
