"""Surrogates and inference: is it more than chance?"""
