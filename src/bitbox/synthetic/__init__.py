"""Pairs with known truth: signals, and videos of a real face in motion."""
