"""A manifest is checked as a whole, and what is wrong is told by line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitbox.cli import run
from bitbox.errors import InputError, ParameterError
from bitbox.study import propose, read_manifest
from bitbox.synthetic.signals import imitated_pair
from tests.cli.reading import said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pair = imitated_pair(3, duration=40, seed=1)
    pair.participant.to_parquet(tmp_path / "anna.parquet")
    pair.participant.to_parquet(tmp_path / "ben.parquet")
    pair.model.to_parquet(tmp_path / "model.parquet")
    return tmp_path


def problems(folder: Path, *lines: str, name: str = "manifest.csv") -> list[tuple[int, str, str]]:
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    found = read_manifest(folder / name).problems
    return [(problem.line, problem.column, problem.problem) for problem in found]


def test_in_order(folder: Path) -> None:
    (folder / "manifest.csv").write_text(
        "\ufeffID;group;age;offset;participant;model\n"
        "a;x;5;0,5;anna.parquet;model.parquet\n;y;6;;ben.parquet;model.parquet\n",
        encoding="utf-8",
    )
    manifest = read_manifest(folder / "manifest.csv")
    assert manifest.problems == ()
    first, second = manifest.entries
    assert (first.name, second.name) == ("a_x", "ben_y")
    assert first.settings == {"offset": 0.5}
    assert first.others == {"age": "5"}
    assert second.line == 3
    assert first.participant == folder / "anna.parquet"


@pytest.mark.parametrize(
    ("lines", "line", "column", "words"),
    [
        (["participant,modell", "anna.parquet,model.parquet"], 1, "modell", "'model'"),
        (["participant", "anna.parquet"], 1, "model", "missing"),
        (["participant,model,model", "a,b,c"], 1, "model", "two columns"),
        (["participant,model", "anna.parquet,"], 2, "model", "empty"),
        (["participant,model", "carl.parquet,model.parquet"], 2, "participant", "no file"),
        (["participant,model,offset", "anna.parquet,model.parquet,soon"], 2, "offset", "seconds"),
        (["participant,model,signals", "anna.parquet,model.parquet,x"], 2, "signals", "pose"),
        (["participant,model,model_face", "anna.parquet,model.parquet,up"], 2, "model_face", "up"),
        (["participant,model", "anna.parquet,model.parquet,3"], 2, "", "3 cells"),
        (["participant,model,mirror", "anna.parquet,model.parquet,x"], 2, "mirror", "either"),
        (["participant,model,start", "anna.parquet,model.parquet,1:99"], 2, "start", "1:30"),
        (["participant,model,start,end", "anna.parquet,model.parquet,20,10"], 2, "end", "ends"),
        (["participant,model"] + ["anna.parquet,model.parquet"] * 2, 3, "id", "Line 2"),
    ],
)
def test_what_is_wrong(folder: Path, lines: list[str], line: int, column: str, words: str) -> None:
    found = problems(folder, *lines)
    assert any((line, column) == one[:2] and words in one[2] for one in found), found


def test_a_column_of_ones_own_is_fine_unless_it_looks_misspelt(folder: Path) -> None:
    rows = ["anna.parquet,model.parquet,7"]
    assert problems(folder, "participant,model,diagnosis", *rows) == []
    assert problems(folder, "participant,model,grup", *rows)[0][1] == "grup"


@pytest.mark.video
def test_a_video_that_does_not_open(folder: Path) -> None:
    pytest.importorskip("av")
    (folder / "a.mp4").write_bytes(b"no video at all" * 100)
    (line, column, words) = problems(folder, "participant,model", "a.mp4,model.parquet")[0]
    assert (line, column) == (2, "participant")
    assert "video" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"participant,model\n", "no rows"), ("id\nä".encode("latin1"), "UTF-8")],
)
def test_no_table(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_manifest(tmp_path / "m.csv")


def test_excel(folder: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (
        ["id", "participant", "model", "offset"],
        [7, "anna.parquet", "model.parquet", 0.5],
    ):
        book.active.append(row)
    book.save(folder / "m.xlsx")
    entry = read_manifest(folder / "m.xlsx").entries[0]
    assert (entry.labels["id"], entry.settings) == ("7", {"offset": 0.5})
    (folder / "n.xlsx").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="cannot be read as an Excel"):
        read_manifest(folder / "n.xlsx")


def test_the_command_lists_all_problems(folder: Path, capsys) -> None:
    problems(folder, "participant,model,id", "x.parquet,model.parquet,a", "anna.parquet,y.mp4,b")
    assert run(["study", str(folder / "manifest.csv"), "--check"]) == 1
    text = said(capsys)
    assert "2 problems in the manifest" in text
    assert "line 2, participant" in text
    assert "line 3, model" in text
    assert run(["study", str(folder / "manifest.csv"), "-o", str(folder / "out")]) == 1
    assert not (folder / "out").exists()


class TestProposal:
    def files(self, folder: Path, *names: str) -> Path:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
        return folder

    def test_bids(self, tmp_path: Path) -> None:
        names = [
            f"sub-{s}/ses-{v}/sub-{s}_ses-{v}_task-{t}_video.mp4"
            for s in ("01", "02")
            for v in ("1", "2")
            for t in ("dance", "face")
        ]
        models = ["models/task-dance_model.mp4", "models/task-face_model.mp4"]
        table = propose(self.files(tmp_path, *names, *models))
        assert len(table) == 8
        assert set(table.columns) == {"id", "condition", "session", "participant", "model"}
        assert (table["model"] == "models/task-" + table["condition"] + "_model.mp4").all()

    def test_a_pattern(self, tmp_path: Path) -> None:
        self.files(tmp_path, "anna_t1_child.mp4", "anna_t1_therapist.mp4", "notes.txt", "x.mp4")
        table = propose(tmp_path, "{id}_{session}_{role}")
        assert table.to_dict("records") == [
            {
                "id": "anna",
                "session": "t1",
                "participant": "anna_t1_child.mp4",
                "model": "anna_t1_therapist.mp4",
            }
        ]

    def test_no_model_or_several(self, tmp_path: Path) -> None:
        table = propose(self.files(tmp_path, "a.mp4", "model1.mp4", "b_model.mp4"))
        assert table.to_dict("records") == [{"id": "a", "participant": "a.mp4", "model": ""}]

    def test_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no recording"):
            propose(tmp_path)
        self.files(tmp_path, "a.mp4")
        with pytest.raises(ParameterError, match="not known"):
            propose(tmp_path, "{name}")
        with pytest.raises(InputError, match="called so"):
            propose(tmp_path, "{id}_{role}")

    def test_a_list_of_ones_own_is_not_replaced(self, tmp_path: Path, capsys) -> None:
        self.files(tmp_path, "a.mp4", "model.mp4")
        assert run(["study", "init", str(tmp_path)]) == 0
        assert "1 participants' recordings" in said(capsys)
        before = (tmp_path / "manifest.csv").read_bytes()
        assert run(["study", "init", str(tmp_path)]) == 1
        assert "exists" in said(capsys)
        assert (tmp_path / "manifest.csv").read_bytes() == before


def test_stretches_and_faces_of_files_of_signals(tmp_path: Path) -> None:
    """They are 40 s long, and show no face."""
    pair = imitated_pair(2, duration=40, seed=1)
    pair.participant.to_parquet(tmp_path / "p.parquet")
    pair.model.to_parquet(tmp_path / "m.parquet")
    (tmp_path / "m.csv").write_text(
        "id,participant,model,start,end,model_end,model_face\n"
        "a,p.parquet,m.parquet,5,35,39,\n"
        "b,p.parquet,m.parquet,50,60,,\n"
        "c,p.parquet,m.parquet,,,70,left\n",
        encoding="utf-8",
    )
    found = {(p.line, p.column): p.problem for p in read_manifest(tmp_path / "m.csv").problems}
    assert set(found) == {(3, "start"), (3, "end"), (4, "model_end"), (4, "model_face")}
    assert "p.parquet is only 40.0 s long, not 50 s" in found[3, "start"]
    assert "m.parquet is only" in found[4, "model_end"]
    assert "no face can be chosen" in found[4, "model_face"]
