"""`helm test` on a real cluster: it passes, it says what is amiss, and it leaves nothing."""

import pytest

from testbed.demo.shell import Result
from tests.e2e.cluster import ATTACHMENTS, COORDINATORS, NETWORKS, Cluster, Release, eventually
from tests.e2e.conftest import upgrade


def run(cluster: Cluster, release: Release) -> Result:
    """As a user does."""
    command = f"helm test {release.name} -n {release.namespace} --timeout 2m --hide-notes"
    return cluster.shell.run(f"{command} --logs")


def nothing_left(cluster: Cluster, release: Release) -> bool:
    """Whether all is gone that the test made, what the garbage collector deletes included."""
    kinds = f"{NETWORKS},{ATTACHMENTS},pods"
    found = cluster.items(kinds, f"-n {release.namespace}")
    return not [e for e in found if e["metadata"]["name"].endswith("-test-network")]


def test_it_passes_and_leaves_nothing(cluster: Cluster, synced: Release) -> None:
    address = (cluster.get(COORDINATORS, "default") or {})["spec"].get("vethLinkAddress") or ""
    told = run(cluster, synced)
    assert told.ok, told.output
    assert "Phase:          Succeeded" in told.output
    made = f"vethLinkAddress {address}" if address else "no vethLinkAddress"
    assert f"-test-network: made, with {made}" in told.output
    assert f"and has veth0 with {address}" in told.output
    eventually("all of it is gone", lambda: nothing_left(cluster, synced))


@pytest.mark.usefixtures("reinstalled")
def test_it_names_the_interface_that_no_node_has(cluster: Cluster, synced: Release) -> None:
    upgrade(cluster, synced, "--set test.interface=absent0,test.deadlineSeconds=60")
    told = run(cluster, synced)
    assert not told.ok
    assert "absent0" in told.output
    assert "verify: 1 error" in told.output
    eventually("all of it is gone", lambda: nothing_left(cluster, synced))
