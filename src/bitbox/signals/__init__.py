"""Signals: named time series on one clock, validated once and trusted ever after."""

from bitbox.signals.signals import ROTATION, TRANSLATION, Components, Signals

__all__ = ["ROTATION", "TRANSLATION", "Components", "Signals"]
