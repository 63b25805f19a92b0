"""What the testbed's cluster network is asked for, and which one a cluster was made with."""

from itertools import permutations
from pathlib import Path

import pytest

from testbed import bootstrap, cluster_network, cni, topology
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.paths import State
from testbed.progress import Progress

NAMES = tuple(cni.NETWORKS)
VARIABLE = "TESTBED_NETWORK"


@pytest.mark.parametrize(("value", "name"), [("", "bridge"), *((name, name) for name in NAMES)])
def test_the_named_one_is_there_and_the_bridge_otherwise(value: str, name: str) -> None:
    assert cluster_network.wanted({VARIABLE: value}) == name


@pytest.mark.parametrize("value", ["Flannel", "kuberouter", "1", " "])
def test_others_are_refused_by_name(value: str) -> None:
    allowed = "bridge or calico or flannel or kube-router"
    with pytest.raises(TestbedError, match=f"{VARIABLE}='{value}': give {allowed}"):
        cluster_network.wanted({VARIABLE: value})


@pytest.mark.parametrize("name", NAMES)
def test_a_cluster_is_read_as_it_was_recorded(tmp_path: Path, name: str) -> None:
    cluster = Cluster(State(tmp_path), topology.nodes(2), network=name)
    cluster.state.record.write_text(cluster.record())
    assert Cluster.recorded(cluster.state) == cluster
    assert cluster.cni_file == cni.NETWORKS[name]


@pytest.mark.parametrize("existing", NAMES)
def test_a_cluster_with_the_one_that_is_asked_for_is_taken(existing: str) -> None:
    cluster_network.check(existing, {VARIABLE: existing})
    cluster_network.check(existing, {})


@pytest.mark.parametrize(("existing", "asked"), [*permutations(NAMES, 2)])
def test_a_cluster_with_another_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, existing: str, asked: str
) -> None:
    monkeypatch.delenv("TESTBED_NODES", raising=False)
    monkeypatch.setenv(VARIABLE, asked)
    up = Cluster(State(tmp_path), topology.nodes(1), network=existing)
    up.state.record.write_text(up.record())
    message = f"{VARIABLE} asks for {asked}, but a cluster with {existing} is up: `make down` first"
    with pytest.raises(TestbedError, match=message):
        bootstrap.ensure(up.state, Progress())
    assert Cluster.recorded(up.state) == up
