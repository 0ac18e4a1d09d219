"""Surrogates and inference, which tell coupling from chance."""
