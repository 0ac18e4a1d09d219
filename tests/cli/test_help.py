"""Help, as somebody sees it in a terminal of 80 columns."""

from __future__ import annotations

import inspect
import re

import click
import pytest
from click.testing import CliRunner

from bitbox.analysis.suggest import LATENCY
from bitbox.cli import app
from bitbox.workflow.recordings import SIGNALS


def commands(command: click.Command, *names: str) -> dict[tuple[str, ...], click.Command]:
    found = {names: command}
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            found |= commands(child, *names, name)
    return found


COMMANDS = commands(app)


def shown(*names: str) -> str:
    done = CliRunner().invoke(app, [*names, "--help"], terminal_width=80, prog_name="bitbox")
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("names", COMMANDS)
def test_fits_and_is_whole(names: tuple[str, ...]) -> None:
    text = shown(*names)
    assert max(map(len, text.splitlines())) <= 80
    assert "\\b" not in text
    assert "\b" not in text
    assert "..." not in text.split("\n", 1)[1], "cut off"
    for line in text.splitlines():
        assert not re.search(r"\s(--)?[a-z]+-$", line), f"an option is broken in two: {line}"


def test_lists_stay_lists() -> None:
    lines = [line.strip() for line in shown("imitate").splitlines()]
    for name in SIGNALS:
        assert [line for line in lines if re.match(rf"{name} {{2,}}\w", line)], name
    for name in ("report.html", "scorecard.csv", "run.json"):
        assert [line for line in lines if line.startswith(f"{name}  ")], name
    assert "bitbox demo" in [line.strip() for line in shown().splitlines()]


def _needs_default(parameter: click.Parameter) -> bool:
    """Whether something happens when an option with a value is left out."""
    role = re.match("participant_|model_", str(parameter.name))
    nothing_stated = parameter.name in ("person", "recording", "wheel", "source", "file") or (
        parameter.name == "fps" and "at" not in str(getattr(parameter, "help", "")).split()
    )
    return (
        isinstance(parameter, click.Option)
        and not parameter.required
        and not parameter.is_flag | bool(role) | nothing_stated
    )


@pytest.mark.parametrize("names", COMMANDS)
def test_every_choice_says_what_happens_without_it(names: tuple[str, ...]) -> None:
    command = COMMANDS[names]
    with click.Context(command, terminal_width=80) as context:
        for parameter in command.params:
            record = parameter.get_help_record(context)
            if record is not None and _needs_default(parameter):
                assert "[default: " in record[1], f"bitbox {' '.join(names)}: {record}"


def test_the_stated_defaults_are_true() -> None:
    from bitbox.analysis.quality import imitation_quality

    text = " ".join(shown("imitate").split())
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(imitation_quality).parameters.items()
    }
    for name, option in (
        ("width", "--width"),
        ("lag", "--lag"),
        ("n_surrogates", "--surrogates"),
        ("surrogate", "--surrogate"),
        ("offset", "--offset"),
    ):
        stated = re.search(rf"{option} [A-Z].*?\[default: ([^\]]*)\]", text)
        assert stated is not None
        value = defaults[name]
        assert stated[1] == (value if isinstance(value, str) else f"{value:g}")
    for name, option in (("polarity", "--polarity"), ("causality", "--causality")):
        stated = re.search(rf"{option} / .*?\[default: (\w+)\]", text)
        assert stated is not None
        assert stated[1] == ("on" if defaults[name] else "off")
    assert defaults["step"] is None
    assert f"[default: {LATENCY:g}]" in shown("suggest")


def test_options_stand_where_one_looks_for_them() -> None:
    headings = [line for line in shown("imitate").splitlines() if re.match(r"\w.*:$", line)]
    assert headings == [
        "Options:",
        "How the two recordings fit together:",
        "Windows and lags:",
        "More than chance:",
        "Whose face, in a video:",
        "How to read a file of signals:",
    ]
