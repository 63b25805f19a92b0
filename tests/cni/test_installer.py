"""The node installer as it runs in its pod: unprivileged, resident, beside running plugins."""

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cni.conftest import NO_CAPABILITIES, wait_for
from tests.cni.namespace import Namespace
from tests.cni.topology import Pod, Segment

LIMIT_KIB = 10 * 1024
PLUGINS = ["coordinator", "ifacer"]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The node's directories."""
    for name in ("bin", "state", "config"):
        (tmp_path / name).mkdir()
    return tmp_path


def argv(programs: Path, host: Path, *flags: str) -> list[str]:
    return [
        *NO_CAPABILITIES,
        str(programs / "coordinator-install"),
        f"--source={programs / 'coordinator'}",
        f"--source={programs / 'ifacer'}",
        f"--target-dir={host / 'bin'}",
        f"--defaults-source={host / 'config' / 'coordinator.json'}",
        f"--defaults-target={host / 'state' / 'defaults.json'}",
        "--interval=50ms",
        *flags,
    ]


@contextlib.contextmanager
def resident(programs: Path, host: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(argv(programs, host, *flags)) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def version(binary: Path) -> int:
    """Run a plugin; 0 when it answers."""
    env = {"CNI_COMMAND": "VERSION"}
    return subprocess.run(
        [binary], env=env, input=b"{}", capture_output=True, check=False
    ).returncode


def test_keeps_plugin_and_defaults_in_place(programs: Path, host: Path) -> None:
    plugin, source = host / "bin" / "coordinator", host / "config" / "coordinator.json"
    defaults = host / "state" / "defaults.json"
    with resident(programs, host) as process:
        wait_for(plugin.exists)
        assert version(plugin) == 0
        plugin.unlink()
        wait_for(plugin.exists)
        for content in ('{"mode":"auto"}', '{"mode":"underlay"}'):
            source.write_text(content)
            wait_for(lambda wanted=content: defaults.exists() and defaults.read_text() == wanted)  # type: ignore[misc]
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        assert int(fields["VmRSS"].split()[0]) <= LIMIT_KIB
        assert int(fields["CapEff"], 16) == 0
    assert process.returncode == 0
    assert plugin.exists(), "without it the runtime could not delete the pods that use it"


def test_a_running_plugin_does_not_hinder_an_upgrade(programs: Path, host: Path) -> None:
    plugin = host / "bin" / "coordinator"
    older = host / "coordinator"
    shutil.copy(programs / "coordinator", older)
    with older.open("ab") as file:
        file.write(b"older")
    shutil.copy(older, plugin)
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "x", "CNI_IFNAME": "eth0", "CNI_PATH": "/x"}
    env["CNI_NETNS"] = "/x"
    with subprocess.Popen([plugin], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
        wait_for(lambda: Path(f"/proc/{busy.pid}/exe").readlink() == plugin)
        with pytest.raises(OSError, match="Text file busy"), plugin.open("r+b"):
            pass
        subprocess.run(argv(programs, host, "--once"), check=True)
        assert plugin.read_bytes() == (programs / "coordinator").read_bytes()
        busy.communicate(b"{}")
    assert sorted(path.name for path in (host / "bin").iterdir()) == PLUGINS


FOREIGN = "#!/bin/sh\n"


@pytest.fixture(params=PLUGINS)
def foreign(programs: Path, host: Path, request: pytest.FixtureRequest) -> Path:
    """Another product's plugin, which an installer does not touch unless it may."""
    plugin: Path = host / "bin" / request.param
    plugin.write_text(FOREIGN)
    refused = subprocess.run(
        argv(programs, host, "--once"), check=False, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "belongs to another product" in refused.stderr
    for other in set(PLUGINS) - {plugin.name}:
        assert version(host / "bin" / other) == 0
    return plugin


def aside(plugin: Path) -> Path:
    return plugin.with_name(f".{plugin.name}.foreign")


def ours(plugin: Path) -> bool:
    return plugin.read_bytes()[:4] == b"\x7fELF"


def test_another_products_plugin_stays_aside_when_the_installer_is_restarted(
    programs: Path, host: Path, foreign: Path
) -> None:
    mark = host / "mark"
    mark.touch()  # as kubelet writes an annotation that is not there
    flags = ("--replace-foreign", f"--uninstall-mark={mark}")
    for _ in range(2):
        with resident(programs, host, *flags):
            wait_for(lambda: ours(foreign))
            foreign.unlink()
            wait_for(foreign.exists)  # so that it runs
        assert ours(foreign)
        assert aside(foreign).read_text() == FOREIGN


@pytest.mark.parametrize("marked", ["while it runs", "before it stops", "before it starts"])
def test_another_products_plugin_comes_back_at_an_uninstall(
    programs: Path, host: Path, foreign: Path, marked: str
) -> None:
    mark = host / "mark"
    mark.touch()
    interval = "1h" if marked == "before it stops" else "50ms"
    flags = ("--replace-foreign", f"--uninstall-mark={mark}", f"--interval={interval}")
    with resident(programs, host, *flags) as process:
        wait_for(lambda: ours(foreign))
        if marked == "before it starts":
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        mark.write_text("true")
        if marked == "while it runs":
            assert process.wait(10) == 0
    if marked == "before it starts":
        for _ in range(2):  # as kubelet restarts a container
            subprocess.run(argv(programs, host, *flags), check=True, timeout=10)
    assert foreign.read_text() == FOREIGN
    assert not aside(foreign).exists()


def ready(programs: Path, host: Path) -> tuple[int, str]:
    """Run the readiness probe."""
    flags = [flag for flag in argv(programs, host) if flag.startswith(("--source", "--target"))]
    command = [*NO_CAPABILITIES, str(programs / "coordinator-install"), "ready", *flags]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", PLUGINS)
def test_a_damaged_plugin_is_not_ready_and_is_mended(programs: Path, host: Path, name: str) -> None:
    plugin = host / "bin" / name
    assert ready(programs, host)[0] == 1
    subprocess.run(argv(programs, host, "--once"), check=True)
    assert ready(programs, host) == (0, "")
    for content in (plugin.read_bytes()[:100_000], b"", b"nothing that runs\n"):
        plugin.write_bytes(content)
        code, said = ready(programs, host)
        assert code == 1
        assert f"{plugin} is not the plugin of this image" in said
        subprocess.run(argv(programs, host, "--once"), check=True)
        assert ready(programs, host) == (0, "")
        assert version(plugin) == 0
    plugin.write_text("#!/bin/sh\n")
    assert ready(programs, host)[0] == 1


ONLY_NET_ADMIN = ["setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all"]


@pytest.mark.parametrize("family", [4, 6])
def test_restores_the_nodes_rule_with_net_admin_alone(
    pod: Pod, segment: Segment, programs: Path, host: Path, family: int
) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    node = segment.node
    rule = "1000: from all lookup 500 proto 92"
    installer = argv(programs, host, "--restore-rules")[len(NO_CAPABILITIES) :]
    command = [*node.argv(""), *ONLY_NET_ADMIN, *installer]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(2):
                node.run(f"ip -{family} rule del pref 1000")
                wait_for(lambda: node.rules(family).count(rule) == 1)
            effective = Path(f"/proc/{process.pid}/status").read_text()
            assert "CapEff:\t0000000000001000" in effective
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=10)
    assert f"add IPv{family} rule pref 1000 from all lookup 500 to the node" in said
    pod.coordinator("CHECK")


def test_restores_no_rule_without_pods_or_unless_told(
    pod: Pod, segment: Segment, programs: Path, host: Path
) -> None:
    pod.attach()
    pod.coordinator()
    segment.node.run("ip rule del pref 1000")
    plugin = host / "bin" / "coordinator"
    for flags in ([], ["--restore-rules"]):
        if flags:
            pod.coordinator("DEL")
        plugin.unlink(missing_ok=True)
        command = [*segment.node.argv(""), *argv(programs, host, *flags)]
        with subprocess.Popen(command) as process:
            try:
                wait_for(plugin.exists)
                plugin.unlink()
                wait_for(plugin.exists)  # so that a whole round has passed
                assert not [rule for rule in segment.node.rules() if "proto 92" in rule]
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(10)


@pytest.fixture
def node() -> Iterator[Namespace]:
    """The node's network: one interface with an alternative name, and the side of a pod."""
    made = Namespace("sc-interfaces")
    try:
        made.create()
        made.run("ip link add uplink type bridge")
        made.run("ip link property add dev uplink altname enp0s3")
        made.run("ip link add veth0a1b2c3d type veth peer name bond9")
        yield made
    finally:
        made.delete()


def installed(node: Namespace, programs: Path, host: Path, *flags: str) -> str:
    """Install once in the node's network; gives what was said of errors."""
    command = [*node.argv(""), *argv(programs, host, "--once", *flags)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def test_tells_the_nodes_interfaces_and_plugins(
    node: Namespace, programs: Path, host: Path
) -> None:
    shutil.copy(programs / "coordinator", host / "bin" / "macvlan")
    (host / "bin" / "README").write_text("no program")
    (host / "bin" / ".coordinator.foreign").write_text("#!/bin/sh\n")
    told = host / "termination-log"
    assert installed(node, programs, host, f"--interfaces-target={told}") == ""
    report = json.loads(told.read_text())
    assert report["interfaces"] == ["uplink", "enp0s3", "bond9"]
    assert "veth" in report["unlisted"]
    assert "truncated" not in report
    assert report["plugins"] == ["coordinator", "ifacer", "macvlan"]


def test_reports_what_changes_on_the_node(node: Namespace, programs: Path, host: Path) -> None:
    """Real plugins say which versions they speak; a line is written when something changed."""
    shutil.copy(programs / "coordinator", host / "bin" / "macvlan")
    flags = ("--report-interval=100ms", "--report-interfaces")
    log = host / "log"

    def reports() -> list[Any]:
        prefix = "coordinator-install: node report "
        lines = log.read_text().splitlines()
        return [json.loads(each.removeprefix(prefix)) for each in lines if prefix in each]

    with log.open("w") as out:
        process = subprocess.Popen([*node.argv(""), *argv(programs, host, *flags)], stdout=out)
    try:
        wait_for(lambda: any("ifacer" in each["plugins"] for each in reports()))
        last = reports()[-1]
        assert last["interfaces"] == ["uplink", "enp0s3", "bond9"]
        assert last["links"]["uplink"] == {"kind": "bridge", "mtu": 1500}
        [(versions, speakers)] = last["speaks"].items()
        assert {"0.4.0", "1.0.0", "1.1.0"} <= set(versions.split())
        assert speakers == ["coordinator", "ifacer", "macvlan"]
        node.run("ip link add eth7 type bridge")
        wait_for(lambda: "eth7" in reports()[-1]["interfaces"])
        node.run("ip link set uplink mtu 1400")
        wait_for(lambda: reports()[-1]["links"]["uplink"]["mtu"] == 1400)
        (host / "bin" / "macvlan").unlink()
        wait_for(lambda: "macvlan" not in reports()[-1]["plugins"])
        assert "macvlan" not in str(reports()[-1]["speaks"])
        told = reports()
        assert all(one != other for one, other in itertools.pairwise(told))
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert int(status.split("VmRSS:")[1].split()[0]) <= LIMIT_KIB
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_reports_plugins_where_interfaces_are_not_to_be_told(
    node: Namespace, programs: Path, host: Path
) -> None:
    log = host / "log"
    with log.open("w") as out:
        command = [*node.argv(""), *argv(programs, host, "--report-interval=100ms")]
        process = subprocess.Popen(command, stdout=out)
    try:
        wait_for(lambda: '"plugins":["coordinator","ifacer"]' in log.read_text())
        assert '"interfaces":null' in log.read_text()
        assert "uplink" not in log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_installs_also_where_interfaces_cannot_be_told(
    node: Namespace, programs: Path, host: Path
) -> None:
    said = installed(node, programs, host, f"--interfaces-target={host / 'no' / 'log'}")
    assert "will not know this node's interfaces" in said
    assert (host / "bin" / "coordinator").exists()


def test_tells_nothing_but_the_error_when_it_cannot_install(programs: Path, host: Path) -> None:
    told = host / "termination-log"
    (host / "bin").rmdir()
    command = argv(programs, host, "--once", f"--interfaces-target={told}")
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "check that the directory of the node is mounted" in refused.stderr
    assert not told.exists()


def test_flags_are_checked(programs: Path, host: Path) -> None:
    for flags in (["--interval=0s"], ["more"]):
        done = subprocess.run(
            argv(programs, host, *flags), check=False, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert "interval" in done.stderr
