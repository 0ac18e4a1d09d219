"""Lists of trials, as tables and as annotation programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.readers import read_events

ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" FORMAT="3.0" VERSION="3.0">
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1500"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="3500"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="8000"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="10500"/>
    <TIME_SLOT TIME_SLOT_ID="ts5"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default" TIER_ID="shown">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>frown</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>smile</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>%s
</ANNOTATION_DOCUMENT>
"""
SECOND = """
  <TIER LINGUISTIC_TYPE_REF="default" TIER_ID="other">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>x</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>"""
TABLES = {
    "bids": "onset\tduration\ttrial_type\n8.0\t2.5\tfrown\n1.5\t2.0\tsmile\n",
    "csv": "Onset,Offset,Label\n1.5,3.5,smile\n8,10.5,frown\n",
    "semicolons": "onset;offset;label;note\n1.5;3.5;smile;a, b\n8;10.5;frown;\n",
    "boris aggregated": "Observation id,Subject,Behavior,Start (s),Stop (s)\n"
    "o,s,smile,1.5,3.5\no,s,frown,8,10.5\n",
    "boris events": "Observation id\tx\n\nTime\tSubject\tBehavior\tStatus\n1.5\ts\tsmile\tSTART\n"
    "3.5\ts\tsmile\tSTOP\n8\ts\tfrown\tSTART\n10.5\ts\tfrown\tSTOP\n",
    "elan": ELAN % "",
}


BORIS = "Time,Subject,Behavior,Status\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "events"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", TABLES)
def test_trials_are_read(kind: str, tmp_path: Path) -> None:
    found = read_events(written(tmp_path, TABLES[kind]))
    assert found["onset"].tolist() == [1.5, 8.0]
    assert found["duration"].tolist() == [2.0, 2.5]
    assert found["trial_type"].tolist() == ["smile", "frown"]


def test_texts_of_excel(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text(TABLES["bids"], encoding="utf-16")
    assert read_events(path)["onset"].tolist() == [1.5, 8.0]


def test_blocks_are_strata(tmp_path: Path) -> None:
    text = "onset\tduration\ttrial_type\tblock\n1\t2\tn/a\t1\n5\t2\tb\t2\n"
    found = read_events(written(tmp_path, text))
    assert found["stratum"].tolist() == ["1", "2"]
    assert found["trial_type"].tolist() == ["", "b"]


def test_a_tier_is_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, ELAN % SECOND)
    with pytest.raises(ParameterError, match=r"several tiers.*'shown', 'other'"):
        read_events(path)
    assert read_events(path, tier="other")["duration"].tolist() == [9.0]
    with pytest.raises(ParameterError, match="no such tier"):
        read_events(path, tier="none")
    with pytest.raises(ParameterError, match="Only files of ELAN"):
        read_events(written(tmp_path, TABLES["bids"]), tier="x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no trials"),
        ("a,b\n1,2\n", "holds no trials"),
        ("onset,label\n1,2\n", "columns onset and duration"),
        ("onset,duration\n1,x\n", "the duration of trial 1 is no number"),
        ("onset,duration\n1,inf\n", "the duration of trial 1 is no number"),
        ("onset,duration\n1,2,3\n", "more cells"),
        ("onset,duration\n1,2\nonset,duration\n1,2\n", "the onset of trial 2 is no number"),
        ("onset,duration,subject\n1,2,a\n3,2,b\n", "what 2 people did.*Keep the rows of one"),
        (BORIS + "1,a,smile,START\n", "'smile' starts at 1 s and never stops"),
        (BORIS + "1,a,smile,START\n2,a,smile,START\n", "starts at 2 s, but did not stop before"),
        (BORIS + "1,a,smile,STOP\n", "stops at 1 s, but did not start before"),
        ("Time,Behavior\n1,smile\n", "not how long"),
        ("<a>", "no whole XML"),
        ("<a></a>", "no file of ELAN"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares a document type"),
        ("<ANNOTATION_DOCUMENT></ANNOTATION_DOCUMENT>", "no annotations with times"),
    ],
)
def test_what_is_no_list_of_trials(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_events(written(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tsv\. Check the name and the folder\."):
        read_events(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="Expected a list of trials, but got a folder"):
        read_events(tmp_path)
