"""The runner: shows what it runs, stops at the first thing that is not as expected."""

from pathlib import Path

import pytest

from testbed import demo
from testbed.demo.checks import prints
from testbed.demo.shell import Shell
from testbed.demo.steps import Command, Rules, Step, steps
from testbed.errors import TestbedError


def _act(command: Command, tmp_path: Path) -> list[tuple[str, ...]]:
    proven: list[tuple[str, ...]] = []
    shell = Shell(kubeconfig=tmp_path / "kubeconfig", folder=tmp_path)
    demo._act(shell, tmp_path / "istio-iptables", command, Step("3. Third", ()), proven)
    return proven


def test_shows_command_and_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command("echo answered-by 8080; echo aside >&2", proves=("none", "no"))
    assert _act(command, tmp_path) == [("none", "no", "answered on port 8080")]
    assert capsys.readouterr().out == f"$ {command.text}\nanswered-by 8080\naside\n"


def test_stops_with_step_command_and_output(tmp_path: Path) -> None:
    command = Command("echo something else", prints("patched"))
    with pytest.raises(TestbedError) as stopped:
        _act(command, tmp_path)
    for part in ("3. Third", "'patched'", "echo something else", "\nsomething else"):
        assert part in str(stopped.value)


def test_looks_again_until_it_is_as_expected(tmp_path: Path) -> None:
    command = Command("echo x >>seen; wc -l <seen", prints("3"), within=30)
    _act(command, tmp_path)
    assert (tmp_path / "seen").read_text() == "x\n" * 3


def test_does_not_look_for_ever(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="status 1"):
        _act(Command("false", within=0.1), tmp_path)


def test_commands_find_the_cluster(tmp_path: Path) -> None:
    shell = Shell(kubeconfig=tmp_path / "kubeconfig", bins=(tmp_path,), folder=tmp_path)
    assert shell.output("echo $KUBECONFIG; echo ${PATH%%:*}; pwd").split("\n")[:3] == [
        str(tmp_path / "kubeconfig"),
        str(tmp_path),
        str(tmp_path),
    ]


def test_a_pipe_fails_with_its_first_part(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="status 1"):
        Shell(kubeconfig=tmp_path, folder=tmp_path).output("false | cat")


def test_the_proof_has_both_outcomes() -> None:
    actions = [action for step in steps(Path("c"), Path("v")) for action in step.actions]
    rows = [action.proves for action in actions if isinstance(action, Command) and action.proves]
    assert len(rows) == len(set(rows)) == 4
    assert sum(isinstance(action, Rules) for action in actions) == 3
