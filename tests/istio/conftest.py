"""Fixtures of the mesh tests: the real plugin, Istio's programs, and a segment for each test."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import built, images
from tests.cni.namespace import SLOWNESS, Namespace
from tests.cni.topology import Segment
from tests.istio.cells import PROBE
from tests.istio.mesh import Tools

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count()

NAT = "type nat hook prerouting priority -100"
REDIRECT = "-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 15006"
OWNER = "-t nat -A OUTPUT -m owner --uid-owner 1337 -j RETURN"
CONNMARK = "-t mangle -A OUTPUT -m connmark --mark 1/1 -j CONNMARK --restore-mark"
TPROXY = "-t mangle -A PREROUTING -p tcp -j TPROXY --on-port 15006"
SOCKET = "-t nat -A POSTROUTING -m owner --socket-exists -j ACCEPT"
TRIALS = {
    "redirect": [("iptables", REDIRECT), ("ip6tables", REDIRECT), ("iptables", OWNER)],
    "tproxy": [("iptables", TPROXY), ("ip6tables", TPROXY), ("iptables", CONNMARK)],
    "nftables": [
        ("nft", "add table inet trial"),
        ("nft", f"add chain inet trial pre {{ {NAT} ; }}"),
        ("nft", "add rule inet trial pre tcp dport 80 redirect to :15006"),
        ("nft", "add rule inet trial pre meta skuid 1337 return"),
    ],
    "ambient": [
        ("iptables", REDIRECT),
        ("ip6tables", REDIRECT),
        ("iptables", CONNMARK),
        ("iptables", SOCKET),
    ],
}
"""Commands that must succeed where a mesh's rules are to work."""

NOT_RUN = (126, 127)
"""How a command ends that could not even be started: no fault of the kernel."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs root."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def plugin() -> Path:
    """The plugin as it is released."""
    binary = (built.folder() or ROOT / "build" / "bin") / "coordinator"
    assert binary.exists(), f"{binary} is missing: run make build"
    return binary


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Istio's programs and the stand-in for its proxies."""
    names = ("istio-iptables", "istio-ambient", "mesh-proxy")
    return Tools(*(images.go_binary(name) for name in names))


@pytest.fixture(scope="session")
def missing(tools: Tools) -> Iterator[dict[str, str]]:
    """What the kernel lacks, by mesh or request; asked in a namespace of its own."""
    space = Namespace(f"trial{os.getpid()}")
    space.create()
    trials = {
        mesh: [f"{program} {words}" for program, words in commands]
        for mesh, commands in TRIALS.items()
    }
    # The rule for probes of a node, with its ipset.
    trials[PROBE] = [f"{tools.ambient} probes 192.0.2.1"]
    try:
        found = {
            mesh: [refusal for command in commands if (refusal := refused(space, command))]
            for mesh, commands in trials.items()
        }
        yield {mesh: refusals[0] for mesh, refusals in found.items() if refusals}
    finally:
        space.delete()


def refused(space: Namespace, command: str) -> str:
    """Return why the kernel does not do what a command asks for; empty when it does."""
    done = subprocess.run(
        space.argv(command), check=False, capture_output=True, text=True, timeout=60 * SLOWNESS
    )
    if done.returncode in NOT_RUN:
        pytest.fail(f"`{command}` cannot be run: {done.stderr.strip()}")
    if not done.returncode:
        return ""
    said = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
    return f"this kernel lacks it: `{command}`: {said}; `make kernels` runs it on one that has it"


@pytest.fixture
def segment(tmp_path_factory: pytest.TempPathFactory, plugin: Path) -> Iterator[Segment]:
    """A node, a machine beside it and their segment."""
    tag = f"mesh{os.getpid()}-{next(_numbers)}"
    made = Segment(tag, tmp_path_factory.mktemp(tag), plugin)
    try:
        made.create()
        yield made
    finally:
        made.delete()
