"""Windowed, lagged correlation of many pairs of signals."""
