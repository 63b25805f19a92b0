"""What the ifacer plugin says and does on any kernel; with VLANs and bonds: tests/kernels/stock."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cni.conftest import wait_for
from tests.cni.namespace import Json
from tests.cni.topology import PLUGINS, PluginError, Pod

VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
WHO = "ifacer: pod default/web, interface eth0: "


@pytest.fixture(scope="session")
def ifacer(programs: Path) -> Path:
    return programs / "ifacer"


def conf(*interfaces: str, **fields: object) -> Json:
    """Return a section as it is on the wire."""
    base = {"cniVersion": "1.0.0", "name": "net", "type": "ifacer", "interfaces": [*interfaces]}
    return base | fields


def test_names_the_versions_it_speaks(ifacer: Path) -> None:
    said = subprocess.run(
        [ifacer], env={"CNI_COMMAND": "VERSION"}, input=b"{}", check=True, capture_output=True
    )
    assert json.loads(said.stdout)["supportedVersions"] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_the_result_is_the_previous_one(pod: Pod, ifacer: Path, version: str) -> None:
    wanted = conf("eth0", cniVersion=version)
    first = pod.call(ifacer, "ADD", "eth0", wanted)
    assert first["cniVersion"] == version
    assert not first.get("interfaces")
    previous = {"cniVersion": version, "interfaces": [{"name": "net1"}], "dns": {}}
    passed = pod.call(ifacer, "ADD", "eth0", wanted | {"prevResult": previous})
    assert passed | {"dns": {}} == previous  # which newer versions leave out when it is empty
    pod.call(ifacer, "DEL", "eth0", wanted)
    if version in VERSIONS[2:]:
        pod.call(ifacer, "CHECK", "eth0", wanted | {"prevResult": previous})
    if version in VERSIONS[4:]:
        pod.call(ifacer, "STATUS", "eth0", wanted)
        pod.call(ifacer, "GC", "eth0", wanted | {"cni.dev/valid-attachments": []})


def refused(pod: Pod, ifacer: Path, command: str, wanted: Json) -> PluginError:
    with pytest.raises(PluginError) as caught:
        pod.call(ifacer, command, "eth0", wanted)
    return caught.value


def test_a_missing_interface_is_named(pod: Pod, ifacer: Path) -> None:
    error = refused(pod, ifacer, "ADD", conf("ens9", vlanID=120))
    assert error.msg == (
        f'{WHO}network "net": interfaces[0] is "ens9", and this node has no such interface:'
        " name one that `ip link` shows here"
    )
    assert refused(pod, ifacer, "CHECK", conf("ens9", vlanID=120)).code == 101


@pytest.mark.parametrize("command", ["ADD", "CHECK", "STATUS"])
def test_a_bad_value_is_named(pod: Pod, ifacer: Path, command: str) -> None:
    error = refused(pod, ifacer, command, conf("eth0", vlanID=4095, cniVersion="1.1.0"))
    assert "vlanID is 4095: allowed are 1 to 4094" in error.msg
    pod.call(ifacer, "DEL", "eth0", conf("eth0", vlanID=4095))


def test_an_interface_of_another_kind_stays(pod: Pod, ifacer: Path) -> None:
    node = pod.segment.node
    node.run("ip link add eth0.120 link eth0 type macvlan mode bridge")
    before = node.link("eth0.120")
    error = refused(pod, ifacer, "ADD", conf("eth0", vlanID=120))
    assert "eth0.120 is there and is of kind macvlan" in error.msg
    assert "needs VLAN 120 (802.1q) on eth0" in error.msg
    pod.call(ifacer, "DEL", "eth0", conf("eth0", vlanID=120))
    assert node.link("eth0.120") == before


def test_a_failure_is_rolled_back(pod: Pod, ifacer: Path) -> None:
    """No kernel makes a VLAN on the loopback interface."""
    node = pod.segment.node
    node.run("ip link set lo down")
    error = refused(pod, ifacer, "ADD", conf("lo", vlanID=120))
    assert "add interface lo.120 with VLAN 120 on lo: operation not supported" in error.msg
    assert "modprobe 8021q" in error.msg
    loopback = node.link("lo")
    assert loopback is not None
    assert "UP" not in loopback["flags"]
    assert node.link("lo.120") is None


def test_an_interface_in_use_is_kept_out_of_bonds(pod: Pod, ifacer: Path) -> None:
    pod.segment.plug(pod.segment.node, "eth1", "", "")
    bond = {"name": "bond0", "mode": 1}
    error = refused(pod, ifacer, "ADD", conf("eth1", "eth0", bond=bond))
    assert "eth0 has the address 10.6.0.10/16, so it is not put into bond bond0" in error.msg


def test_a_bond_of_one_is_passed_over_with_a_warning(pod: Pod, ifacer: Path) -> None:
    result = pod.call(ifacer, "ADD", "eth0", conf("eth0", bond={"name": "bond0", "mode": 1}))
    assert "bond bond0 is not made, for there is one interface only, eth0" in result["warnings"]


def waits(process: subprocess.Popen[str]) -> bool:
    """Say whether a process waits for a lock."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any(" -> " in line and f" {process.pid} " in line for line in lines)


def test_pods_of_one_node_wait_for_each_other(pod: Pod, ifacer: Path) -> None:
    node = pod.segment.node
    environment = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c", "CNI_IFNAME": "eth0"}
    environment |= {"CNI_NETNS": str(pod.space.path), "CNI_PATH": str(PLUGINS)}
    lock = os.open(node.path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen(
        [*node.argv(""), str(ifacer)],
        env=os.environ | environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(conf("eth0")))
        process.stdin.close()
        try:
            wait_for(lambda: waits(process))
        finally:
            os.close(lock)
        assert process.wait(60) == 0
