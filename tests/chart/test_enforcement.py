"""The operator's rights are enough where owner references are guarded, as OpenShift does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from testbed.apiserver import ApiServer
from tests.apiserver.harness import Operator, eventually
from tests.chart.helm import Helm
from tests.chart.test_access import NAD, NAD_CRD, NETWORK, account, environment


class Guarded(ApiServer):
    """An API server that lets only those set an owner reference who may delete the object."""

    @override
    def _apiserver_flags(self) -> list[str]:
        plugin = "OwnerReferencesPermissionEnforcement"
        return [*super()._apiserver_flags(), f"--enable-admission-plugins={plugin}"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[ApiServer]:
    with Guarded() as server:
        # NADs of deleted networks are its work.
        server.start_controllers("garbage-collector-controller")
        yield server


async def test_networks_are_made_healed_and_removed(
    guarded: ApiServer, helm: Helm, tmp_path: Path
) -> None:
    cluster = Helm(helm.binaries, tmp_path, guarded.kubeconfig)
    cluster.kubectl("apply", "-f", str(NAD_CRD))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{NAD}")
    cluster.install()
    login = account(cluster, guarded, "test-spidercoordinator-operator")
    operator = Operator(login, tmp_path / "log", environment(cluster))
    operator.start()
    place = "--namespace=kube-system"

    def owners() -> list[str]:
        if not cluster.names(NAD, place):
            return []
        meta = cluster.get(NAD, "net", place)["metadata"]
        return [each["name"] for each in meta.get("ownerReferences", ())]

    async def owned() -> bool:
        return owners() == ["net"]

    async def gone() -> bool:
        return not cluster.names(NAD, place)

    try:
        cluster.kubectl("apply", "-f", "-", stdin=NETWORK)
        await eventually("the NAD is made", owned)
        orphan = '{"metadata":{"ownerReferences":null}}'
        cluster.kubectl("patch", NAD, "net", place, "--type=merge", "-p", orphan)
        await eventually("its owner is set again", owned)
        cluster.kubectl("delete", "spidermultusconfigs", "net", place)
        await eventually("the NAD is removed", gone)
    finally:
        operator.stop()
    assert "orbidden" not in operator.text()
