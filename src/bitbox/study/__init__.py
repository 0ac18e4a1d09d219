"""Whole studies: from a list of recordings to the tables of a paper."""

from bitbox.study.manifest import Entry, Manifest, Problem, read_manifest
from bitbox.study.proposal import propose
from bitbox.study.result import StudyResult
from bitbox.study.study import Study

__all__ = ["Entry", "Manifest", "Problem", "Study", "StudyResult", "propose", "read_manifest"]
