"""The store of results: found by content, never half-written, safe to share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import InputError, OutputError, ParameterError
from bitbox.measuring import store
from bitbox.measuring.retention import parse_period
from bitbox.measuring.store import Cache, make_key
from bitbox.signals import Signals
from tests.attack.places import small_disk

KEY = make_key({"input": "abc", "face": "largest"})
OTHER = make_key({"input": "abc", "face": "left"})


def some_signals(seed: int = 0, rows: int = 50) -> Signals:
    values = np.random.default_rng(seed).normal(size=(rows, 6))
    values[3] = np.nan
    return Signals(
        values,
        np.arange(rows) / 30,
        ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz"),
        kind="pose",
        schema="pose6",
        units="mm, rad",
        backend="test",
        provenance={"seed": seed},
    )


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


class TestKey:
    def test_does_not_depend_on_order(self) -> None:
        assert make_key({"a": 1, "b": [2, None]}) == make_key({"b": [2, None], "a": 1})

    @pytest.mark.parametrize(
        "other",
        [
            {"input": "abd", "face": "largest"},
            {"input": "abc", "face": "left"},
            {"input": "abc", "face": 0},
            {"input": "abc", "face": "0"},
            {"input": "abc", "face": "largest", "vertical_fov": 63.0},
        ],
    )
    def test_depends_on_every_setting(self, other: dict[str, object]) -> None:
        assert make_key(other) != KEY


class TestPeriod:
    @pytest.mark.parametrize(
        ("text", "days"),
        [("1 year", 365), ("6 months", 180), ("2 weeks", 14), ("3 days", 3), (" 1 Day ", 1)],
    )
    def test_is_understood(self, text: str, days: int) -> None:
        assert parse_period(text) == timedelta(days=days)

    def test_forever(self) -> None:
        assert parse_period("forever") is None

    @pytest.mark.parametrize("text", ["", "soon", "0 days", "-1 year", "1.5 years", "1 y", "year"])
    def test_nonsense_is_refused(self, text: str) -> None:
        with pytest.raises(ParameterError, match="retention period"):
            parse_period(text)


class TestEntries:
    def test_signals_come_back_equal(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        assert path is not None
        assert path.parent == tmp_path
        assert cache.read_signals("pose", KEY) == some_signals()

    def test_arrays_come_back_equal_in_type_and_bits(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        mesh = np.random.default_rng(0).normal(size=(4, 478, 3)).astype(np.float32)
        mesh[2] = np.nan
        cache.write_arrays("a", "mesh", KEY, {"mesh": mesh, "header": np.array('{"é": 1}')})
        arrays = cache.read_arrays("mesh", KEY)
        assert arrays is not None
        assert arrays["mesh"].dtype == np.float32
        np.testing.assert_array_equal(arrays["mesh"], mesh)
        assert json.loads(str(arrays["header"])) == {"é": 1}

    def test_only_the_same_key_and_kind_is_found(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        cache.write_signals("a", "pose", KEY, some_signals())
        assert cache.read_signals("pose", OTHER) is None
        assert cache.read_signals("landmark", KEY) is None

    def test_found_under_another_name_of_the_recording(self, tmp_path: Path) -> None:
        Cache(tmp_path).write_signals("before_renaming", "pose", KEY, some_signals())
        (entry,) = Cache(tmp_path).entries()
        assert entry.recording == "before_renaming"
        assert Cache(tmp_path).find("pose", KEY) == entry.path

    @pytest.mark.parametrize("name", ["ä b_c", "x" * 300, "日" * 120, "[a]*?", "-rf"])
    def test_names_of_recordings_may_be_odd(self, tmp_path: Path, name: str) -> None:
        cache = Cache(tmp_path)
        cache.write_signals(name, "pose", KEY, some_signals())
        assert cache.read_signals("pose", KEY) == some_signals()

    def test_without_a_folder_nothing_is_kept(self) -> None:
        cache = Cache()
        assert cache.write_signals("a", "pose", KEY, some_signals()) is None
        assert cache.read_signals("pose", KEY) is None
        assert cache.entries() == []

    def test_nothing_temporary_is_left(self, tmp_path: Path) -> None:
        Cache(tmp_path).write_signals("a", "pose", KEY, some_signals())
        assert len(list(tmp_path.iterdir())) == 1


class TestDamage:
    def test_a_truncated_file_is_never_read(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        assert path is not None
        content = path.read_bytes()
        for size in (0, 1, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:size])
            assert cache.read_signals("pose", KEY) is None
            assert not path.exists()

    def test_a_flipped_bit_is_noticed(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        assert path is not None
        content = bytearray(path.read_bytes())
        for place in range(0, len(content), 97):
            content[place] ^= 4
            path.write_bytes(content)
            assert cache.find("pose", KEY) is None
            content[place] ^= 4
        path.write_bytes(content)
        assert cache.find("pose", KEY) == path

    def test_an_intact_copy_is_preferred_to_a_damaged_one(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        damaged = cache.write_signals("a", "pose", KEY, some_signals(0))
        intact = cache.write_signals("a", "pose", KEY, some_signals(1))
        assert damaged is not None
        damaged.write_bytes(b"PAR1")
        assert cache.find("pose", KEY) == intact

    def test_a_failed_write_leaves_nothing(self, tmp_path: Path) -> None:
        def fail(path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        cache = Cache(tmp_path)
        with pytest.raises(OutputError, match="No space left"):
            cache.write("a", "pose", KEY, ".parquet", fail)
        assert list(tmp_path.iterdir()) == []


class TestFolder:
    def test_is_made(self, tmp_path: Path) -> None:
        Cache(tmp_path / "a" / "b").write_signals("a", "pose", KEY, some_signals())
        assert len(Cache(tmp_path / "a" / "b").entries()) == 1

    def test_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(OutputError, match="cannot be written to"):
            Cache(tmp_path / "file" / "folder")

    def test_old_leftovers_of_killed_runs_go_and_young_ones_stay(self, tmp_path: Path) -> None:
        old, young = tmp_path / ".0123456789abcdef.tmp.npz", tmp_path / ".fedcba987654.tmp.csv"
        mine = tmp_path / ".my.tmp"
        for path in (old, young, mine):
            path.touch()
        age(old, 2)
        age(mine, 200)
        Cache(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {young.name, mine.name}


class TestLooking:
    def test_lists_without_changing_anything(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        cache.change_retention_period("1 day")
        assert path is not None
        age(path, 2)
        (entry,) = Cache.at(tmp_path).entries()
        assert (entry.path, entry.what, entry.expired) == (path, "pose", True)
        assert entry.size == path.stat().st_size

    def test_does_not_make_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no folder"):
            Cache.at(tmp_path / "output")
        assert not (tmp_path / "output").exists()


class TestRetention:
    def test_is_forever_by_default(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        assert path is not None
        age(path, 3650)
        assert cache.retention == "forever"
        assert Cache(tmp_path).find("pose", KEY) == path

    def test_expired_entries_are_not_read_and_go_at_the_next_opening(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        old = cache.write_signals("a", "pose", KEY, some_signals())
        new = cache.write_signals("b", "pose", OTHER, some_signals())
        assert old is not None
        age(old, 8)
        cache.change_retention_period("1 week")
        assert [entry.expired for entry in cache.entries()] == [True, False]
        assert cache.find("pose", KEY) is None
        assert old.exists()
        assert Cache(tmp_path).find("pose", OTHER) == new
        assert not old.exists()

    def test_is_kept_in_the_folder(self, tmp_path: Path) -> None:
        Cache(tmp_path).change_retention_period("1 year")
        assert Cache(tmp_path).retention == "1 year"

    def test_may_be_set_before_the_folder_is_known(self, tmp_path: Path) -> None:
        cache = Cache()
        cache.change_retention_period("6 months")
        assert cache.retention == "6 months"
        cache.open(tmp_path)
        assert Cache(tmp_path).retention == "6 months"

    def test_a_spoilt_settings_file_is_an_error_that_tells_what_to_do(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        (tmp_path / ".bitbox-cache.json").write_text("{")
        with pytest.raises(InputError, match="Delete that file"):
            _ = cache.retention


class TestClear:
    def test_removes_entries_and_nothing_else(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        for name in ("a", "b"):
            cache.write_signals(name, "pose", make_key({"n": name}), some_signals())
        kept = [tmp_path / "notes.txt", tmp_path / "a_pose.parquet", tmp_path / "scorecard.csv"]
        for path in kept:
            path.write_text("mine")
        assert [path.name[0] for path in cache.clear(recording="a")] == ["a"]
        assert len(cache.clear()) == 1
        assert sorted(tmp_path.iterdir()) == sorted(kept)

    def test_expired_only(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        cache.change_retention_period("3 days")
        assert cache.clear(expired_only=True) == []
        assert path is not None
        age(path, 4)
        assert cache.clear(expired_only=True) == [path]


class TestSharing:
    """Other processes write, clear and spoil the same folder at any moment."""

    def test_cleared_between_finding_and_reading(self, tmp_path: Path, monkeypatch) -> None:
        cache = Cache(tmp_path)
        cache.write_signals("a", "pose", KEY, some_signals())
        cache.write_arrays("a", "track", KEY, {"a": np.zeros(3)})
        cache.write_mesh("a", KEY, np.zeros((4, 478, 3), np.float32))
        find = Cache.find

        def find_and_clear(self: Cache, what: str, key: str) -> Path | None:
            path = find(self, what, key)
            assert path is not None
            path.unlink()
            return path

        monkeypatch.setattr(Cache, "find", find_and_clear)
        assert cache.read_signals("pose", KEY) is None
        assert cache.read_arrays("track", KEY) is None
        assert cache.read_mesh(KEY) is None

    def test_the_folder_is_removed_while_a_result_is_measured(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "cache")
        (tmp_path / "cache").rmdir()
        assert cache.read_signals("pose", KEY) is None
        assert cache.entries() == []
        cache.write_signals("a", "pose", KEY, some_signals())
        assert cache.read_signals("pose", KEY) == some_signals()

    def test_a_result_that_another_process_mended_is_not_removed(
        self, tmp_path: Path, monkeypatch
    ) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())
        assert path is not None
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        is_intact = store.is_intact

        def mended_after_the_look(path: Path) -> bool:
            found = is_intact(path)
            path.write_bytes(whole)
            return found

        monkeypatch.setattr(store, "is_intact", mended_after_the_look)
        assert cache.find("pose", KEY) is None
        monkeypatch.undo()
        assert cache.find("pose", KEY) == path

    def test_what_is_somebody_elses_counts_as_not_there(self, tmp_path: Path, monkeypatch) -> None:
        cache = Cache(tmp_path)
        path = cache.write_signals("a", "pose", KEY, some_signals())

        def refused(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("bitbox.measuring.store_entry.hash_file", refused)
        monkeypatch.setattr("bitbox.measuring.store_entry.os.replace", refused)
        assert cache.read_signals("pose", KEY) is None
        assert path is not None
        assert path.exists()

    def test_clearing_what_is_somebody_elses_is_an_error(self, tmp_path: Path, monkeypatch) -> None:
        def refused(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        cache = Cache(tmp_path)
        cache.write_signals("a", "pose", KEY, some_signals())
        monkeypatch.setattr(Path, "unlink", refused)
        with pytest.raises(OutputError, match="cannot be removed"):
            cache.clear()

    def test_a_full_disk(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", "64k") as disk:
            cache = Cache(disk)
            with pytest.raises(OutputError, match="No space left") as caught:
                cache.write_mesh("a", KEY, np.zeros((400, 478, 3), np.float32))
            assert "None" not in str(caught.value)
            assert list(disk.iterdir()) == []


WRITER = """
import os, sys
import numpy as np
from bitbox.measuring.store import Cache, make_key

def write(folder, start, count):
    cache = Cache(folder)
    number = start
    while number < start + count or count < 0:
        values = np.random.default_rng(number % 7).normal(size=(40, 478, 3))
        key = make_key({"number": number % 7})
        cache.write_arrays("a", "mesh", key, {"values": values, "number": np.array(number % 7)})
        number += 1

for line in sys.stdin:  # each line: a folder, where to start, how many entries to write
    folder, start, count = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        write(folder, int(start), int(count))
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Writer:
    """A process that forks a new one for each run, which saves their start-up."""

    def __enter__(self) -> Writer:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def start(self, folder: Path, start: int, count: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{folder}\t{start}\t{count}\n")
        self.process.stdin.flush()
        return self._read()

    def wait(self) -> int:
        return self._read()

    def _read(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


def check_all(folder: Path) -> int:
    """Read every entry that the store takes for complete; return how many there were."""
    cache = Cache(folder)
    found = 0
    for number in range(7):
        arrays = cache.read_arrays("mesh", make_key({"number": number}))
        if arrays is None:
            continue
        found += 1
        assert int(arrays["number"]) == number
        expected = np.random.default_rng(number).normal(size=(40, 478, 3))
        np.testing.assert_array_equal(arrays["values"], expected)
    return found


def test_a_run_killed_at_any_moment_leaves_no_half_written_entry(tmp_path: Path) -> None:
    moments = np.random.default_rng(0)
    found, leftovers = 0, 0
    with Writer() as writer:
        for run in range(300):
            if run >= 60 and found and leftovers:
                break
            folder = tmp_path / str(run)
            child = writer.start(folder, run, -1)
            time.sleep(moments.uniform(0, 0.03 * 2 ** (run // 60)))  # slow machines need more
            os.kill(child, signal.SIGKILL)
            assert writer.wait() == signal.SIGKILL
            # each file under a final name is whole by itself, whatever the reader checks
            for path in folder.glob("a_mesh_*"):
                with np.load(path) as archive:
                    assert archive["values"].shape == (40, 478, 3)
            leftovers += len(list(folder.glob(".*.tmp*")))
            found += check_all(folder)
    assert found > 0  # the moments lie both before and after writes
    assert leftovers > 0  # and within them


def test_two_runs_on_one_folder_both_end_right(tmp_path: Path) -> None:
    with Writer() as one, Writer() as two:
        one.start(tmp_path, 0, 60)
        two.start(tmp_path, 3, 60)
        assert one.wait() == 0
        assert two.wait() == 0
    assert check_all(tmp_path) == 7
    assert list(tmp_path.glob(".*.tmp*")) == []
