"""The CRDs as objects of the release: taken over, upgraded, kept; and never deleted by surprise."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, Helm, Object

CRDS = "customresourcedefinitions"
NAME = "spidermultusconfigs.spiderpool.spidernet.io"
OLD = "As an earlier release said it."
NETWORK = {
    "apiVersion": "spiderpool.spidernet.io/v2beta1",
    "kind": "SpiderMultusConfig",
    "metadata": {"name": "macvlan-conf", "namespace": "default"},
    "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}},
}
UPGRADE = ("upgrade", "--install", "test", str(CHART))
TAKE = ("--set=crds.enabled=true", "--take-ownership")


def chart_crds() -> list[Object]:
    return [yaml.safe_load(path.read_text()) for path in sorted((CHART / "crds").iterdir())]


def schema(crd: Object) -> Any:
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


@pytest.fixture
def earlier(cluster: Helm) -> Iterator[Helm]:
    """A cluster with an earlier release's CRDs, as helm makes them from crds/."""
    cluster.kubectl("delete", CRDS, "--all", "--wait")
    old = chart_crds()
    for crd in old:
        schema(crd)["description"] = OLD
    cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(old))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    cluster.apply([NETWORK])
    yield cluster
    renew(cluster)


def renew(cluster: Helm) -> None:
    """Leave the chart's CRDs, of no release."""
    cluster.run("uninstall", "test", "--no-hooks", "--ignore-not-found")
    cluster.kubectl("delete", CRDS, "--all", "--wait")
    cluster.kubectl("create", "-f", str(CHART / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")


def described(cluster: Helm) -> set[bool]:
    """Whether the CRDs are the earlier release's."""
    return {
        schema(cluster.get("crd", crd["metadata"]["name"]))["description"] == OLD
        for crd in chart_crds()
    }


def network(cluster: Helm) -> str:
    """The network's UID: another one would tell that it was made again."""
    return str(cluster.get("spidermultusconfigs", "macvlan-conf")["metadata"]["uid"])


def test_helm_alone_leaves_old_ones_and_says_so(earlier: Helm) -> None:
    told = earlier.install()
    assert described(earlier) == {True}
    assert f"The CRD {NAME} of this cluster is another version's" in told
    assert "--set crds.enabled=true --take-ownership" in told


def test_without_leave_nothing_is_taken_over_or_changed(earlier: Helm) -> None:
    refused = earlier.run(*UPGRADE, "--set=crds.enabled=true", check=False)
    assert refused.returncode != 0
    assert "cannot be imported into the current release" in refused.stderr
    assert described(earlier) == {True}


def test_they_are_taken_over_upgraded_and_kept(earlier: Helm) -> None:
    uid = network(earlier)
    earlier.install()
    told = earlier.run(*UPGRADE, *TAKE).stdout
    assert described(earlier) == {False}
    assert "another version's" not in told
    # From now on without the flag, as an upgrade of the chart would.
    earlier.run(*UPGRADE, "--set=crds.enabled=true,operator.log.level=debug")
    earlier.run("rollback", "test", "1")
    assert network(earlier) == uid
    earlier.run("uninstall", "test", "--no-hooks")
    assert network(earlier) == uid
    earlier.run(*UPGRADE, "--set=crds.enabled=true")
    assert network(earlier) == uid


def test_ones_that_are_not_kept_go_only_with_the_release(earlier: Helm) -> None:
    told = earlier.run(*UPGRADE, *TAKE, "--set=crds.keep=false").stdout
    assert "crds.keep is false: helm uninstall deletes the CRDs" in told
    uid = network(earlier)
    refused = earlier.run(*UPGRADE, "--set=crds.enabled=false", check=False)
    assert "crds.enabled is false" in refused.stderr
    assert f"installed {NAME} with crds.keep false" in refused.stderr
    assert network(earlier) == uid
    earlier.run("uninstall", "test", "--no-hooks", "--wait")
    assert earlier.names(CRDS) == []


def test_a_first_installation_may_own_them(cluster: Helm) -> None:
    cluster.kubectl("delete", CRDS, "--all", "--wait")
    cluster.run(*UPGRADE, *TAKE)
    owners = {
        cluster.get("crd", crd["metadata"]["name"])["metadata"]["annotations"][
            "meta.helm.sh/release-name"
        ]
        for crd in chart_crds()
    }
    assert owners == {"test"}
    renew(cluster)
