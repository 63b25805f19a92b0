"""What the testbed's cluster network is asked for, and which one a cluster was made with."""

from pathlib import Path

import pytest

from testbed import cni, flannel, topology
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.paths import State


@pytest.mark.parametrize(("value", "wanted"), [("flannel", True), ("", False)])
def test_flannel_is_there_when_asked(
    monkeypatch: pytest.MonkeyPatch, value: str, wanted: bool
) -> None:
    monkeypatch.setenv("TESTBED_NETWORK", value)
    assert flannel.wanted() is wanted


@pytest.mark.parametrize("value", ["bridge", "Flannel", "1", " "])
def test_others_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TESTBED_NETWORK", value)
    with pytest.raises(TestbedError, match=f"TESTBED_NETWORK='{value}': give flannel"):
        flannel.wanted()


@pytest.mark.parametrize(
    ("with_flannel", "file"), [(True, cni.FLANNEL_NETWORK), (False, cni.BRIDGE_NETWORK)]
)
def test_a_cluster_is_read_as_it_was_recorded(
    tmp_path: Path, with_flannel: bool, file: Path
) -> None:
    cluster = Cluster(State(tmp_path), topology.nodes(2), flannel=with_flannel)
    cluster.state.record.write_text(cluster.record())
    assert Cluster.recorded(cluster.state) == cluster
    assert cluster.cni_file == file
