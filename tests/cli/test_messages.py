"""What the command says can be done can be done; it speaks of options, not of arguments."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bitbox
from bitbox.analysis.quality import imitation_quality
from bitbox.cli import app, run
from bitbox.cli.wording import in_options, names_of_options
from bitbox.readers import read_signals
from bitbox.signals import Signals
from bitbox.synthetic.signals import imitated_pair
from tests.cli.reading import said
from tests.cli.test_help import COMMANDS

SOURCE = Path(bitbox.__file__).parent

# Whose messages the command can show.
REACHED = ("readers", "statistics", "synthetic", "face_backend", "signals", "analysis", "workflow")
# What is asked for where the command never is, and why.
NOT_REACHED = {
    "pairs": "lag_surface is called from Python only; the command takes signals of one name",
    "output_dir": "the command names its folders itself",
    "return_output": "the command never asks for files",
    "input_file": "the command names the file itself",
    "runtime": "the command uses the built-in runtime",
    "folder_inside": "the command uses the built-in runtime",
    "components": "the command leaves them to the kind of signals",
    "normalize": "the command never normalises",
    "frames": "the command draws no tracking",
    "names": "the command draws no tracking",
    "others": "the command offers no surrogates from other people",
    "role": "the command offers no surrogates from other people",
    "duration": "the command renders what it chose itself",
    "num_faces": "MediaPipe's own option",
    "tier": "lists of trials are read from Python only",
    "max_gap": "the command leaves it as it is",
    "min_valid": "the command leaves it as it is",
}


def messages() -> list[tuple[str, str]]:
    """Every text in an error or a finding, with the module it is in."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).rsplit(".", 1)[-1]
            if not (name.endswith("Error") or name == "Finding"):
                continue
            for given in (*call.args, *(keyword.value for keyword in call.keywords)):
                whole = _text(given)
                found += [(module, whole)] if whole else []
    return found


def _text(node: ast.AST) -> str:
    """Return the text that an expression makes, with ... for what is put in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "..." for part in node.values)
    if isinstance(node, ast.BinOp | ast.IfExp):
        parts = [
            getattr(node, name)
            for name in ("left", "right", "body", "orelse")
            if hasattr(node, name)
        ]
        return " ".join(filter(None, map(_text, parts)))
    return ""


MESSAGES = messages()
ARGUMENTS = {
    name
    for function in (read_signals, imitation_quality)
    for name in inspect.signature(function).parameters
}


def asked_for(text: str) -> set[str]:
    """The arguments that a message names."""
    return set(re.findall(r"`([a-z]\w*)`", text)) | set(re.findall(r"\b([a-z]\w*)=", text))


def test_the_test_sees_messages() -> None:
    assert len(MESSAGES) > 300
    assert {"fps", "time_unit", "kind", "person", "surrogate"} <= set().union(
        *(asked_for(text) for _, text in MESSAGES)
    )


def test_whatever_is_asked_for_can_be_given() -> None:
    options = names_of_options(app.commands["imitate"])
    info = names_of_options(app.commands["info"])
    suggest = names_of_options(app.commands["suggest"])
    for module, text in MESSAGES:
        if module.split(".")[0] not in REACHED:
            continue
        for name in asked_for(text) - set(NOT_REACHED):
            mark = f"`{name}`"
            if name == "latency":
                assert in_options(mark, suggest) == "--latency"
                continue
            assert in_options(mark, options).startswith("--"), f"bitbox.{module}: {text}"
            if module.startswith("readers"):
                assert in_options(mark, info).startswith("--"), f"bitbox.{module}: {text}"
            if module.startswith("readers") and name != "kind":  # --signals is of both
                assert in_options(mark, options, "model").startswith("--model-"), text


def test_arguments_are_marked_so_that_options_can_take_their_place() -> None:
    """`fps` in backticks, or fps=25: then the command can say --participant-fps."""
    several = "|".join(sorted(ARGUMENTS - {"path", "participant", "model", "progress"}))
    plain = re.compile(
        rf"\b(?:[Gg]ive|[Ll]eave|as|[Uu]se) (?:it as )?({several})\b(?![=`])(?: out\b|[.,]|$)"
        r"|(?<![`\w.-])([a-z]+_(?:unit|surrogates))\b(?![=`\w])"
    )
    for module, text in MESSAGES:
        if module.split(".")[0] in REACHED and not module.startswith(("synthetic", "face_backend")):
            found = plain.search(text)
            assert found is None, f"bitbox.{module}: put {found[0]!r} of {text!r} in backticks"


def test_every_option_that_is_named_exists() -> None:
    known = {
        word
        for command in COMMANDS.values()
        for parameter in command.params
        for word in (*parameter.opts, *parameter.secondary_opts)
    }
    for module, text in MESSAGES:
        text = re.sub(r"pip install [^.]*", "", text)
        for word in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text):
            assert word in known, f"bitbox.{module}: {word} in {text!r}"


def test_commands_that_are_named_exist() -> None:
    names = {" ".join(name) for name in COMMANDS}
    for module, text in MESSAGES:
        for word in re.findall(r"\bbitbox ([a-z]+(?: (?:install|list|clear|keep))?)\b", text):
            assert word in names | {"fetch", "can"}, f"bitbox.{module}: {text!r}"


@pytest.mark.parametrize(
    ("text", "role", "said"),
    [
        (
            "Give it as `fps`, as fps=29.97.",
            "model",
            "Give it as --model-fps, as --model-fps 29.97.",
        ),
        ("Give `fps`.", None, "Give --fps."),
        ("got person='1'", "participant", "got --participant-person 1"),
        ("got person=None", "participant", "got no --participant-person"),
        ("(causality=False), 25 fps", None, "(--no-causality), 25 fps"),
        ("n_surrogates=99, runtime=None", None, "--surrogates 99, runtime=None"),
        ("use width=2, step=0.5", None, "use --width 2, --step 0.5"),
    ],
)
def test_wording(text: str, role: str | None, said: str) -> None:
    assert in_options(text, names_of_options(app.commands["imitate"]), role) == said


# ------------------------------------------------------------------ and it is done


def table(path: Path, *, seed: int, **columns: object) -> Path:
    """40 s of signals at 25 a second, without times."""
    participant, _, _ = imitated_pair(duration=40, seed=seed, fps=25)
    frame = participant.to_frame().reset_index(drop=True)
    frame = frame.drop(columns=[name for name in frame if name == "time"]).assign(**columns)
    frame.to_csv(path, index=False)
    return path


def recorded(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


class TestReading:
    def test_frame_rates_of_each_file(self, tmp_path, capsys) -> None:
        pair = [table(tmp_path / f"{name}.csv", seed=k) for k, name in enumerate("ab")]
        folder = tmp_path / "results"
        command = ["imitate", *map(str, pair), "-o", str(folder), "--surrogates", "19"]
        assert run(command) == 2
        assert "--participant-fps" in said(capsys)
        command += ["--participant-fps", "25"]
        assert run(command) == 2
        assert "--model-fps" in said(capsys)
        command += ["--model-fps", "25"]
        assert run(command) == 0
        assert Signals.from_parquet(folder / "model.parquet").rate == pytest.approx(25)
        assert recorded(folder)["settings"]["model_fps"] == 25

    def test_the_rate_to_compare_at_is_told_where_it_reads_a_file(self, tmp_path, capsys) -> None:
        pair = [table(tmp_path / f"{name}.csv", seed=k) for k, name in enumerate("ab")]
        folder = tmp_path / "results"
        command = ["imitate", *map(str, pair), "-o", str(folder), "--surrogates", "19"]
        assert run([*command, "--fps", "25"]) == 0
        text = said(capsys)
        assert "a.csv holds no times" in text
        assert "--participant-fps" in text

    def test_people_units_and_kinds(self, tmp_path, capsys) -> None:
        time = np.arange(100) * 40
        faces = {"frame": np.repeat(range(1, 51), 2), "face_id": [0, 1] * 50, "success": 1}
        angles = {f"pose_{axis}": 0.1 for axis in ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")}
        units = {"AU01_r": np.linspace(0, 1, 100), "AU02_r": np.linspace(1, 0, 100)}
        stamps = {"timestamp": np.repeat(np.arange(50) / 25, 2), "confidence": 1.0}
        people = tmp_path / "people.csv"
        pd.DataFrame({**faces, **stamps, **angles, **units}).to_csv(people, index=False)
        assert run(["info", str(people)]) == 1
        assert "--person to be one of '0', '1'" in said(capsys)
        assert run(["info", str(people), "--person", "1"]) == 0
        assert run(["info", str(people), "--person", "1", "--kind", "pose"]) == 0
        assert "pose signals" in said(capsys)
        assert run(["info", str(people), "--person", "1", "--kind", "body"]) == 1
        assert "Leave --kind out" in said(capsys)
        late = tmp_path / "late.csv"
        pd.DataFrame({"time": time, "smile": np.sin(time)}).to_csv(late, index=False)
        assert run(["info", str(late)]) == 1
        assert "--time-unit ms" in said(capsys)
        assert run(["info", str(late), "--time-unit", "ms"]) == 0
        assert "25.00 frames a second" in said(capsys)


class TestNotDone:
    """What a file cannot give is refused, and never recorded as if it had been done."""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> tuple[str, str]:
        participant, model, _ = imitated_pair(duration=40, seed=3)
        return (
            str(participant.to_parquet(tmp_path / "participant.parquet")),
            str(model.to_parquet(tmp_path / "model.parquet")),
        )

    def test_signals_that_files_do_not_hold(self, pair, tmp_path, capsys) -> None:
        for name in ("expression-local", "pose"):
            assert run(["imitate", *pair, "-o", str(tmp_path / "r"), "--signals", name]) == 1
            text = said(capsys)
            assert "participant.parquet" in text
            assert "--signals" in text
        assert not (tmp_path / "r").exists()

    @pytest.mark.parametrize(
        "option", [["--face", "left"], ["--model-face", "0"], ["--participant-person", "1"]]
    )
    def test_what_only_another_sort_of_file_has(self, pair, tmp_path, capsys, option) -> None:
        assert run(["imitate", *pair, "-o", str(tmp_path / "r"), *option]) == 2
        text = said(capsys)
        assert f"Leave {option[0].replace('--face', '--participant-face')} out" in text

    def test_the_record_says_what_was_done(self, pair, tmp_path) -> None:
        folder = tmp_path / "r"
        only = list(Signals.from_parquet(pair[0]).names[:3])
        command = ["-q", "imitate", *pair, "-o", str(folder), "--surrogates", "19"]
        assert run([*command, "--only", ",".join(only)]) == 0
        settings = recorded(folder)["settings"]
        assert settings["signals"] is settings["participant_face"] is settings["model_face"] is None
        assert settings["only"] == only
        assert list(pd.read_csv(folder / "scorecard.csv")["signal"]) == only

    def test_findings_in_the_terminal_speak_of_options(self, pair, tmp_path, capsys) -> None:
        copy = str(shutil.copy(pair[0], tmp_path / "copy.parquet"))
        command = ["imitate", pair[0], copy, "-o", str(tmp_path / "r"), "--surrogates", "999"]
        assert run([*command, "--seed", "1"]) == 0
        text = said(capsys)
        assert not re.search(r"\b(surrogate|causality|signals|width|fps|offset)=", text)


class TestPlaces:
    def test_a_folder_is_named(self, tmp_path, capsys, monkeypatch) -> None:
        folder = tmp_path / "videos of day 1"
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert run(["imitate", ".", ".", "-o", "r"]) == 1
        assert "videos of day 1" in said(capsys)

    def test_home_in_quotes(self, tmp_path, capsys, monkeypatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        imitated_pair(duration=20)[0].to_parquet(tmp_path / "a.parquet")
        assert run(["info", "~/a.parquet"]) == 0
        assert run(["info", "~nobody-of-this-name/a.parquet"]) == 1
        assert "~nobody-of-this-name" in said(capsys)


@pytest.mark.parametrize("words", [["info", ""], ["imitate", "a.csv", "b.csv", "-o", ""]])
def test_an_empty_name_is_not_the_working_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable that was not set put the results wherever the command was called from."""
    assert run(words) == 2
    assert "an empty name names nothing" in said(capsys)
