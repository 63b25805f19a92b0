"""What the node's metrics say of real calls, of the installer, and of the node."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cni.conftest import wait_for
from tests.cni.counted import PREFIX, Counted, fill, tmpfs
from tests.cni.test_minimum_kernel import UNDER_AN_OLD_NAME
from tests.cni.test_parallel import at_once
from tests.cni.topology import PluginCrashError, PluginError, Pod, Segment


@pytest.fixture
def node(segment: Segment, programs: Path, tmp_path: Path) -> Counted:
    """A node on which nothing is counted yet; its plugins find it."""
    lib, plugins = tmp_path / "lib", tmp_path / "bin"
    (lib / "spidercoordinator").mkdir(parents=True)
    plugins.mkdir()
    segment.var_lib = lib
    return Counted(segment, programs, lib, plugins)


@pytest.fixture
def counted(node: Counted) -> Counted:
    """A node on which calls are counted."""
    node.install("--count")
    return node


def call(pod: Pod, program: Path, verb: str) -> None:
    conf = pod.conf(cniVersion="1.1.0", interfaces=["eth0"])
    if verb == "GC":
        valid = {"containerID": pod.container, "ifname": "eth0"}
        conf["cni.dev/valid-attachments"] = [valid]
    pod.call(program, verb, "eth0", conf)


@pytest.mark.parametrize("plugin", ["coordinator", "ifacer"])
def test_each_verb_is_counted(counted: Counted, pod: Pod, plugin: str) -> None:
    pod.attach()
    before = counted.metrics()
    for number, verb in enumerate(("ADD", "CHECK", "STATUS", "GC", "DEL")):
        for _ in range(number + 1):
            call(pod, counted.programs / plugin, verb)
        after = counted.metrics()
        changed = {name for name in before if "cni_call" in name and after[name] != before[name]}
        assert after[f"cni_calls_started_total,{plugin},{verb}"] == number + 1
        assert after[f"cni_calls_total,{plugin},{verb},success"] == number + 1
        assert after[f"cni_call_duration_seconds_count,{plugin},{verb}"] == number + 1
        assert 0 < after[f"cni_call_duration_seconds_sum,{plugin},{verb}"] < 600
        assert after[f"cni_call_duration_seconds_bucket,{plugin},{verb},+Inf"] == number + 1
        assert not [name for name in changed if f"{plugin},{verb}" not in name], "nothing else"
        before = after


def without(pod: Pod, **section: Any) -> Callable[[], object]:
    return lambda: pod.coordinator(**section)


def old_kernel(pod: Pod) -> Callable[[], object]:
    def refused() -> object:
        pod.segment.wrapper = [*UNDER_AN_OLD_NAME]
        return pod.coordinator()

    return refused


def address_of_another(pod: Pod) -> Callable[[], object]:
    """Another pod of the node has the address already."""

    def refused() -> object:
        first, second = pod.segment.pod(), pod.segment.pod()
        first.plug(20)
        first.coordinator()
        second.space.run("ip link add eth0 type bridge")
        second.space.run("ip addr add 10.6.2.20/16 dev eth0")
        second.space.run("ip link set eth0 up")
        second.results["eth0"] = {
            **first.results["eth0"],
            "interfaces": [{"name": "eth0", "sandbox": str(second.space.path)}],
        }
        return second.coordinator()

    return refused


def no_standard_output(pod: Pod) -> Callable[[], object]:
    """Nobody can be told the result."""

    def refused() -> object:
        pod.segment.wrapper = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
        return pod.coordinator()

    return refused


FAILURES: dict[str, tuple[str, Callable[[Pod], Callable[[], object]]]] = {
    "request": ("ADD", lambda pod: without(pod, prevResult=None)),
    "not_ready": ("ADD", lambda pod: without(pod, notReadyReason="no CIDR is known")),
    "configuration": ("ADD", lambda pod: without(pod, vethMTU=70000)),
    "kernel": ("ADD", old_kernel),
    "namespaces": ("ADD", lambda pod: without(pod, env={"CNI_NETNS": "/nonexistent"})),
    "plan": ("ADD", lambda pod: without(pod, mode="overlay")),
    "conflict": ("ADD", address_of_another),
    "apply": ("ADD", lambda pod: without(pod, env={"COORDINATOR_FAIL_AT": "3"})),
    "not_in_sync": ("CHECK", lambda pod: without(pod, command="CHECK")),
    "internal": ("ADD", no_standard_output),
}


@pytest.mark.parametrize("step", FAILURES)
def test_a_failure_is_counted_by_its_step(counted: Counted, pod: Pod, step: str) -> None:
    pod.attach()
    verb, failing = FAILURES[step]
    with pytest.raises((PluginError, PluginCrashError)):
        failing(pod)()
    told = counted.metrics()
    steps = [name for name, value in told.items() if name.startswith("cni_failures") and value]
    assert steps == [f"cni_failures_total,coordinator,{verb},{step}"]
    assert told[steps[0]] == told[f"cni_calls_total,coordinator,{verb},failure"] == 1


def test_another_plugins_failure_is_counted_as_its_own(counted: Counted, pod: Pod) -> None:
    wanted = {"cniVersion": "1.0.0", "name": "net", "type": "ifacer", "interfaces": ["ens9"]}
    for verb, fields in (
        ("ADD", {"vlanID": 120}),
        ("CHECK", {"vlanID": 120}),
        ("ADD", {"vlanID": 0.5}),
    ):
        with pytest.raises(PluginError):
            pod.call(counted.programs / "ifacer", verb, "eth0", wanted | fields)
    told = counted.metrics()
    failed = {name: value for name, value in told.items() if "failures" in name and value}
    assert failed == {
        "cni_failures_total,ifacer,ADD,plan": 1,
        "cni_failures_total,ifacer,ADD,configuration": 1,
        "cni_failures_total,ifacer,CHECK,not_in_sync": 1,
    }


def test_a_call_that_was_killed_has_begun_and_did_not_end(counted: Counted, pod: Pod) -> None:
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "x", "CNI_IFNAME": "eth0", "CNI_PATH": "/x"}
    wrapper = Path(__file__).with_name("with_var_lib.sh")
    command = [wrapper, counted.lib, counted.programs / "coordinator"]
    env |= {"CNI_NETNS": "/x", "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE) as waiting:
        wait_for(lambda: counted.metrics()["cni_calls_started_total,coordinator,ADD"] == 1)
        waiting.kill()
    told = counted.metrics()
    assert told["cni_calls_total,coordinator,ADD,success"] == 0
    assert told["cni_calls_total,coordinator,ADD,failure"] == 0
    pod.attach()
    pod.coordinator()
    assert counted.metrics()["cni_calls_total,coordinator,ADD,success"] == 1


def test_no_count_is_lost_where_many_pods_come_and_go_at_once(
    counted: Counted, segment: Segment
) -> None:
    pods = [segment.pod() for _ in range(10)]
    for number, pod in enumerate(pods):
        pod.plug(number + 10)

    def both(number: int) -> None:
        pods[number].coordinator()
        with pytest.raises(PluginError):
            pods[number].coordinator(notReadyReason="no CIDR is known")

    at_once(10, both)
    at_once(10, lambda number: pods[number].coordinator("DEL"))
    told = counted.metrics()
    assert told["cni_calls_started_total,coordinator,ADD"] == 20
    assert told["cni_calls_total,coordinator,ADD,success"] == 10
    assert told["cni_failures_total,coordinator,ADD,not_ready"] == 10
    assert told["cni_call_duration_seconds_count,coordinator,ADD"] == 20
    assert told["cni_calls_total,coordinator,DEL,success"] == 10


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


OBSTACLES: dict[str, Callable[[Path], object]] = {
    "there is none": lambda file: file.unlink(),
    "its folder is gone": lambda file: shutil.rmtree(file.parent),
    "a folder": make_folder,
    "something else": lambda file: file.write_bytes(b"something else"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-8]),
    "of another version": lambda file: file.write_bytes(b"12345678" + file.read_bytes()[8:]),
    "read-only": lambda file: subprocess.run(
        ["mount", "-o", "remount,ro", file.parents[1]], check=True
    ),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_pods_start_where_nothing_can_be_counted(node: Counted, pod: Pod, obstacle: str) -> None:
    pod.attach()
    with tmpfs(node.lib, "1m"):
        node.file.parent.mkdir()
        node.install("--count")
        OBSTACLES[obstacle](node.file)
        for verb in ("ADD", "CHECK", "DEL"):
            assert "counter" not in str(pod.coordinator(verb).get("warnings"))
        readable = obstacle == "read-only"
        assert node.metrics()["node_counters_readable"] == readable
        if readable:
            assert node.metrics()["cni_calls_started_total,coordinator,ADD"] == 0


def test_pods_are_counted_where_the_disk_is_full(node: Counted, pod: Pod) -> None:
    pod.attach()
    with tmpfs(node.lib, "1m"):
        node.file.parent.mkdir()
        node.install("--count")
        fill(node.lib)
        pod.coordinator()
        assert node.metrics()["cni_calls_total,coordinator,ADD,success"] == 1


def test_plugins_are_installed_where_the_disk_is_full(node: Counted) -> None:
    with tmpfs(node.file.parent, "1m"):
        fill(node.file.parent)
        node.install("--count")
        assert (node.plugins / "coordinator").exists()
        assert node.metrics()["node_counters_readable"] == 0
        with node.resident("--count"):
            (node.plugins / "ifacer").unlink()
            wait_for((node.plugins / "ifacer").exists)
            (node.file.parent / "ballast").unlink()
            wait_for(lambda: node.metrics()["node_counters_readable"] == 1)


def test_nothing_is_counted_unless_it_is_asked_for(counted: Counted, pod: Pod) -> None:
    counted.install()
    assert not counted.file.exists()
    pod.attach()
    pod.coordinator()
    assert [each.name for each in counted.file.parent.iterdir()] == []
    with counted.resident():
        (counted.plugins / "coordinator").unlink()
        wait_for((counted.plugins / "coordinator").exists)
        sockets = counted.segment.node.run("cat /proc/net/tcp /proc/net/tcp6")
        assert " 0A " not in sockets, "nothing listens"
    assert counted.metrics()["node_counters_readable"] == 0


def test_what_the_installer_sets_right_is_counted(counted: Counted, pod: Pod) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    zero = counted.metrics()
    assert "node_last_resync_timestamp_seconds" not in zero
    assert zero["node_resyncs_total,success"] == zero["node_repairs_total,plugin"] == 0

    def repaired(what: str, times: int) -> Callable[[], bool]:
        return lambda: counted.metrics()[f"node_repairs_total,{what}"] == times

    for times in (1, 2):  # the second time by another process
        with counted.resident("--count", "--restore-rules"):
            (counted.plugins / "coordinator").unlink()
            wait_for(repaired("plugin", times))
            for family in (4, 6):
                counted.segment.node.run(f"ip -{family} rule del pref 1000")
                wait_for(repaired(f"rule_ipv{family}", times))
    told = counted.metrics()
    assert told["node_resyncs_total,success"] >= 4
    assert told["node_last_resync_timestamp_seconds"] > 1e9
    assert told["node_resyncs_total,failure"] == 0
    assert told["cni_calls_total,coordinator,ADD,success"] == 1, "and the plugins' stay"
    (counted.plugins / "ifacer").write_text("#!/bin/sh\n")  # another product's, which is left alone
    with counted.resident("--count"):
        wait_for(lambda: counted.metrics()["node_resyncs_total,failure"] > 0)


def test_what_the_node_has_is_told(counted: Counted) -> None:
    told = counted.metrics()
    assert {name for name in told if name.startswith("node_plugin_info")} == {
        "node_plugin_info,coordinator",
        "node_plugin_info,ifacer",
    }
    assert told["node_multus_installed"] == 0
    assert told["node_interfaces,veth"] == 1
    shutil.copy(counted.programs / "ifacer", counted.plugins / "multus-shim")
    counted.segment.node.run("ip link add eth7 type bridge")
    told = counted.metrics()
    assert told["node_plugin_info,multus-shim"] == 1
    assert told["node_multus_installed"] == 1
    assert told["node_interfaces,bridge"] == 1
    [build] = [name for name in told if name.startswith("node_build_info")]
    assert build.count(",") == 2
    assert ",go1." in build


def test_interfaces_of_an_older_configuration_are_told(counted: Counted, segment: Segment) -> None:
    first, second, third = pods = [segment.pod() for _ in range(3)]
    for number, pod in enumerate(pods):
        pod.plug(number + 10)

    def newest_and_older() -> tuple[float, float]:
        told = counted.metrics()
        return told["cni_attachments,newest"], told["cni_attachments,older"]

    first.coordinator()
    choice = {"cni": {"podDefaultRouteNIC": "eth0"}}
    second.coordinator(args=choice)  # what a pod chooses is no other configuration of its network
    assert newest_and_older() == (2, 0)
    third.coordinator(vethLinkAddress="169.254.100.1")
    assert newest_and_older() == (1, 2)
    first.coordinator("DEL")
    assert newest_and_older() == (1, 1)
    second.coordinator("DEL")
    second.coordinator(vethLinkAddress="169.254.100.1")
    assert newest_and_older() == (2, 0)
    with pytest.raises(PluginError):  # which sets up nothing
        first.coordinator(env={"COORDINATOR_FAIL_AT": "3"})
    with pytest.raises(PluginError):
        first.coordinator(vethMTU=70000)
    assert newest_and_older() == (2, 0)


MOVED_BY: dict[str, Callable[..., Any]] = {
    "cni_calls_started": test_a_call_that_was_killed_has_begun_and_did_not_end,
    "cni_calls": test_each_verb_is_counted,
    "cni_failures": test_a_failure_is_counted_by_its_step,
    "cni_call_duration_seconds": test_each_verb_is_counted,
    "cni_attachments": test_interfaces_of_an_older_configuration_are_told,
    "node_repairs": test_what_the_installer_sets_right_is_counted,
    "node_resyncs": test_what_the_installer_sets_right_is_counted,
    "node_last_resync_timestamp_seconds": test_what_the_installer_sets_right_is_counted,
    "node_counters_readable": test_nothing_is_counted_unless_it_is_asked_for,
    "node_plugin": test_what_the_node_has_is_told,
    "node_multus_installed": test_what_the_node_has_is_told,
    "node_interfaces": test_what_the_node_has_is_told,
    "node_build": test_what_the_node_has_is_told,
}
"""The test that sees each metric of a node move."""


def test_each_metric_has_a_test_that_sees_it_move(counted: Counted) -> None:
    with counted.resident("--count"):
        wait_for(lambda: "node_last_resync_timestamp_seconds" in counted.metrics())
    kinds = [line.split()[2] for line in counted.told().splitlines() if line.startswith("# TYPE")]
    ours = {each.removeprefix(PREFIX) for each in kinds if each.startswith(PREFIX)}
    assert {each.removesuffix("_total").removesuffix("_info") for each in ours} == MOVED_BY.keys()
