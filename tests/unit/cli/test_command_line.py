"""What the command line promises of every command: exit codes, colours, and no traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from spidercoordinator.cli.commands import cli
from spidercoordinator.cli.completion import kubectl_lines, script
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.main import main
from spidercoordinator.cli.output import wants_colour

ROOT = Path(__file__).parents[3]
COMMAND = Path(sys.executable).with_name("spidercoordinator")
NETWORK = {
    "apiVersion": "spiderpool.spidernet.io/v2beta1",
    "kind": "SpiderMultusConfig",
    "metadata": {"name": "a"},
    "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": {"type": "dhcp"}},
}
TALKS = [["doctor"], ["explain", "pod"], ["preflight"], ["diff", "smc/a", "-p", "{}"]]
"""The commands that talk to an API server, with what they need."""
FORMATS = ("table", "yaml", "json")


def run(*arguments: str, text: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(
        [str(COMMAND), *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        input=text,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.commands:
        assert main([name, "--help"]) == Exit.OK
        assert f"spidercoordinator {name}" in capsys.readouterr().out


def test_no_line_of_the_overview_is_cut_off() -> None:
    overview = run("--help", COLUMNS="80").stdout.split("Commands:")[1]
    assert len(overview.splitlines()) > len(cli.commands)
    assert "..." not in overview


@pytest.mark.parametrize("command", ["check", "render"])
def test_the_namespace_may_stand_before_the_command(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for arguments in (["-n", "blue", command], [command, "-n", "blue"]):
        monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump(NETWORK)))
        assert main([*arguments, "-f", "-", "-o", "json"]) == Exit.OK
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "blue" in said[0]


def test_preflight_looks_at_no_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["preflight", "-n", "blue"], ["-n", "blue", "preflight"]):
        assert main(arguments) == Exit.USAGE
        assert "-n" in capsys.readouterr().err


def test_nothing_to_render_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.stdin",
        io.StringIO(yaml.safe_dump(NETWORK | {"kind": "SpiderCoordinator", "spec": {}})),
    )
    assert main(["render", "-f", "-"]) == Exit.OK
    assert "render: no SpiderMultusConfig is given" in capsys.readouterr().err


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout.startswith("spidercoordinator, version 0.")


_VERIFY: Final = ["verify", "--namespace=a", "--name=b", "--interface=c"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["bark"],
        [],
        ["check"],
        ["render"],
        ["check", "-o", "xml", "-f", "-"],
        ["diff"],
        ["diff", "-f", "a", "smc/a"],
        ["diff", "pod/a", "-p", "{}"],
        ["diff", "smc", "-p", "{}"],
        ["diff", "smc/a", "-p", "["],
        ["diff", "smc/a", "-p", "[]"],
        ["diff", "smc/a", "-p", "{a: 1, a: 2}"],
        ["diff", "smc/blue/a", "-p", "{}"],
        ["explain", "blue/a"],
        ["explain", ""],
        ["explain", ".."],
        ["explain", "a", "-n", "a/b"],
        ["doctor", "-n", "A"],
        ["check", "-f", "-", "-n", "a.b"],
        ["completion", "cmd"],
        ["uninstall", "--timeout", "soon"],
        *(
            [*command, "--timeout", value]
            for command in (["uninstall"], [*_VERIFY, "--pod={}"])
            for value in ("nan", "-nan", "inf", "-inf", "-1", "1e300", "")
        ),
        _VERIFY,
        [*_VERIFY, "--pod=[]"],
        [*_VERIFY, "--pod={}", "--ipam={"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == Exit.USAGE
    assert "Usage: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "render"])
@pytest.mark.parametrize(
    "document", ["", "---\n", '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}']
)
def test_nothing_to_check_is_no_success(
    command: str,
    document: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(document))
    assert main([command, "-f", "-"]) == Exit.USAGE
    message = capsys.readouterr().err
    assert "standard input: no SpiderCoordinator or SpiderMultusConfig is in it" in message


def test_a_folder_without_files_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "-f", str(tmp_path)]) == Exit.USAGE
    assert f"{tmp_path}: no SpiderCoordinator" in capsys.readouterr().err


def document(text: str, output: str) -> Any:
    return json.loads(text) if output == "json" else list(yaml.safe_load_all(text))


def test_each_format_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {**NETWORK, "metadata": {"name": "b"}, "spec": {"cniType": "macvlan", "zzz": 1}}
    text = yaml.safe_dump_all([NETWORK, bad])
    said = {}
    for output in FORMATS:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert main(["check", "-f", "-", "-o", output, "-n", "blue"]) == Exit.FOUND
        said[output] = capsys.readouterr()
    [plain] = document(said["yaml"].out, "yaml")
    assert plain == document(said["json"].out, "json")
    assert plain["objects"][0] == {"kind": "SpiderMultusConfig", "name": "blue/a"}
    lines = [f"{e['subject']}: {e['level']}: {e['observed']}" for e in plain["findings"]]
    assert said["table"].err.splitlines() == lines
    assert plain["counts"]["error"] == sum(": error: " in line for line in lines) > 0


@pytest.mark.parametrize("command", [["crds"], ["render", "-f", "-"]])
def test_objects_are_for_kubectl_in_yaml_and_json(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = {}
    for output in FORMATS:
        monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump(NETWORK)))
        assert main([*command, "-o", output]) == Exit.OK
        printed[output] = capsys.readouterr().out
    objects = document(printed["yaml"], "yaml")
    assert document(printed["json"], "json") == {
        "apiVersion": "v1",
        "kind": "List",
        "items": objects,
    }
    header, *rows = printed["table"].splitlines()
    assert header.startswith("NAME")
    assert len(rows) == len(objects)


def test_whoever_closes_the_pipe_is_told_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for command in (["crds"], ["crds", "-o", "json"], ["--help"]):
        done = subprocess.run(
            [str(COMMAND), *command],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (Exit.CLOSED, b""), command
    os.close(writer)


def kubeconfig(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def cluster(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", **fields}}]


def user(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "u", "user": fields}]


BROKEN: dict[str, Any] = {
    "empty": "",
    "no YAML": "{a: [}",
    "no text": b"\xff\xfe\xfd",
    "a list": [],
    "a text": "hello",
    "without a context": kubeconfig(**{"current-context": None}),
    "of another context": kubeconfig(**{"current-context": "other"}),
    "contexts of nothing": kubeconfig(contexts=None),
    "contexts that are a text": kubeconfig(contexts="c"),
    "a context of nothing": kubeconfig(contexts=[{"name": "c"}]),
    "a context that is a text": kubeconfig(contexts=[{"name": "c", "context": "c"}]),
    "a context without a name": kubeconfig(contexts=[{}]),
    "a cluster that is not there": kubeconfig(clusters=[]),
    "a cluster without a server": kubeconfig(clusters=[{"name": "c", "cluster": {}}]),
    "a server that is a number": kubeconfig(clusters=cluster(server=5)),
    "a server that is no URL": kubeconfig(clusters=cluster(server="http://[")),
    "a server without a scheme": kubeconfig(clusters=cluster(server="nowhere")),
    "a certificate that is no base64": kubeconfig(
        clusters=cluster(**{"certificate-authority-data": "!"})
    ),
    "a certificate that is none": kubeconfig(
        clusters=cluster(**{"certificate-authority-data": "aGVsbG8="})
    ),
    "a certificate that is nowhere": kubeconfig(
        clusters=cluster(**{"certificate-authority": "/nowhere"})
    ),
    "a client certificate that is none": kubeconfig(
        users=user(**{"client-certificate-data": "aGVsbG8=", "client-key-data": "aGVsbG8="})
    ),
    "a program that is not there": kubeconfig(
        users=user(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/nowhere"})
    ),
    "a program of nothing": kubeconfig(users=user(exec={})),
    "a program that fails": kubeconfig(
        users=user(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false"})
    ),
    "a user that is a text": kubeconfig(users=[{"name": "u", "user": "me"}]),
    "a server that does not answer": kubeconfig(),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_kubeconfig_is_one_line(
    content: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kubeconfig"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    for command in TALKS:
        assert main(["--kubeconfig", str(path), *command]) == Exit.NO_ANSWER
        message = capfd.readouterr().err
        assert "Traceback" not in message
        assert message.splitlines()[-1].startswith("spidercoordinator: "), message


@pytest.mark.parametrize("command", TALKS, ids=lambda each: each[0])
def test_a_missing_kubeconfig_or_context_is_named(command: list[str], tmp_path: Path) -> None:
    done = run(*command, "--kubeconfig", "/nowhere")
    assert done.returncode == Exit.NO_ANSWER
    assert done.stderr.count("\n") == 1
    assert "cannot log in with kubeconfig /nowhere: " in done.stderr
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig()))
    for before, after in ((["--context", "blue"], []), ([], ["--context", "blue"])):
        done = run(*before, *command, *after, KUBECONFIG=str(path))
        assert done.returncode == Exit.NO_ANSWER
        assert "blue" in done.stderr
        assert done.stderr.count("\n") == 1


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wants_colour({}) is None
    assert wants_colour({"NO_COLOR": "1"}) is False
    assert wants_colour({"TERM": "dumb"}) is False
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump({**NETWORK, "spec": {"z": 1}})))
    assert "\x1b" not in run("check", "-f", "-", text=yaml.safe_dump(NETWORK)).stdout


@pytest.mark.parametrize("unwanted", [{}, {"NO_COLOR": "1"}])
def test_a_terminal_gets_colours(unwanted: dict[str, str]) -> None:
    master, slave = os.openpty()
    bad = yaml.safe_dump({**NETWORK, "spec": {"cniType": "macvlan"}})
    subprocess.run(
        [str(COMMAND), "check", "-f", "-"],
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **unwanted},
        input=bad.encode(),
        stderr=slave,
        check=False,
        timeout=120,
    )
    os.close(slave)
    said = os.read(master, 65536).decode()
    os.close(master)
    assert ("\x1b[31m" in said) == (unwanted == {})


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_complete(shell: str) -> None:
    assert "_SPIDERCOORDINATOR_COMPLETE" in script(cli, shell)
    done = run(
        _SPIDERCOORDINATOR_COMPLETE="zsh_complete",
        COMP_WORDS="spidercoordinator do",
        COMP_CWORD="1",
    )
    assert "doctor" in done.stdout


def test_kubectl_completes() -> None:
    lines = kubectl_lines(cli, [], "do")
    assert [line.split("\t")[0] for line in lines] == ["doctor", ":4"]
    assert kubectl_lines(cli, ["check", "-f"], "") == [":0"]
    assert "json" in kubectl_lines(cli, ["doctor", "-o"], "")


def test_as_a_plugin_of_kubectl_it_is_called_so() -> None:
    plugin = COMMAND.with_name("kubectl-spidercoordinator")
    done = subprocess.run(
        [str(plugin), "bark"], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == Exit.USAGE
    assert "Usage: kubectl spidercoordinator " in done.stderr


def test_the_operator_does_not_load_the_command_line() -> None:
    text = (
        "import sys; from spidercoordinator.cli import main, run;"
        "print(sorted({'click', 'rich', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], check=True, capture_output=True, text=True, timeout=120
    )
    assert "click" not in done.stdout


def test_the_documented_exit_codes_are_these() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    table = text.split("## Exit codes")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert rows[1:] == [f"`{int(each)}`" for each in Exit]


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert {name for name in cli.commands if f"| `{name}`" not in text} == set()
    assert isinstance(cli, click.Group)
