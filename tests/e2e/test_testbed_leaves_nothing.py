"""A second cluster, beside the one under test: made, interrupted, removed.

It has its own state folder, and all it makes lies in namespaces of its own, so it
disturbs nobody. What is compared is what it could leave on the machine.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from testbed import bootstrap, cgroups, prerequisites, processes, teardown, topology
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.paths import PROJECT, State
from testbed.progress import Progress

pytestmark = pytest.mark.root

INTERRUPTED = """
from testbed import bootstrap, paths, progress
bootstrap.ensure(paths.State.of_clone(), progress.Progress())
"""


@pytest.fixture
def second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unable: Callable[[str], NoReturn]
) -> State:
    missing = prerequisites.missing_packages()
    if os.geteuid() != 0 or missing:
        unable(f"a testbed needs root and its packages; missing: {' '.join(missing) or 'root'}")
    monkeypatch.setenv("TESTBED_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TESTBED_NODES", "1")
    return State.of_clone()


def assert_nothing_left(state: State, links: str, rules: str) -> None:
    assert not state.root.exists()
    assert not list(processes.marked(state.root))
    assert str(state.root) not in Path("/proc/mounts").read_text()
    for node in topology.nodes(topology.MOST_NODES):
        assert not cgroups.existing(cgroups.name_of(state.root, node.name))
    assert links_of_host() == links
    assert rules_of_host() == rules


def links_of_host() -> str:
    names = sorted(path.name for path in Path("/sys/class/net").iterdir())
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    return " ".join(names) + routes


def rules_of_host() -> str:
    done = subprocess.run(["iptables", "-t", "nat", "-S"], check=True, capture_output=True)
    return done.stdout.decode()


def test_down_leaves_nothing(second: State) -> None:
    before = links_of_host(), rules_of_host()
    try:
        cluster = bootstrap.ensure(second, Progress())
        assert not cluster.ended()
        assert '"Ready"' in cluster.kubectl("get", "nodes", "-o=json")
        assert (links_of_host(), rules_of_host()) == before
        assert bootstrap.ensure(second, Progress()) == cluster
    finally:
        teardown.remove(second)
    assert_nothing_left(second, *before)
    with pytest.raises(TestbedError, match="make up"):
        Cluster.running(second)


@pytest.mark.parametrize("reached", ["fabric", "node1", "etcd", "node1-containerd"])
def test_down_after_up_was_killed(second: State, reached: str) -> None:
    before = links_of_host(), rules_of_host()
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) as up:
        try:
            processes.wait_until(
                f"{reached} started", (second.run / f"{reached}.json").exists, seconds=60
            )
        finally:
            up.send_signal(signal.SIGKILL)
    assert Cluster.recorded(second) is None
    teardown.remove(second)
    assert_nothing_left(second, *before)
