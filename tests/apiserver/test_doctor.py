"""`spidercoordinator doctor` as a process against a real API server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from spidercoordinator.api.nad import CONTENT_HASH
from spidercoordinator.cli.exits import Exit
from spidercoordinator.core.checks.whereabouts import RECONCILER_CONFIG
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    DAEMON_SETS,
    LEASES,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from testbed import kubeconfig
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import COMMAND, Cluster, Operator, eventually, kubeadm_config
from tests.apiserver.networks import NAMESPACE, Networks

LABELS = {
    "app.kubernetes.io/name": "spidercoordinator",
    "app.kubernetes.io/component": "installer",
}

NEVER = {"cron-expression": "@every 876000h"}
OURS = (SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS)


class Doctor:
    """The command, and what it said."""

    def __init__(self, server: ApiServer) -> None:
        self._environ = {"PATH": os.environ["PATH"], "KUBECONFIG": str(server.kubeconfig)}

    def run(self, **environ: str) -> tuple[int, str]:
        """Exit status, and both outputs."""
        done = subprocess.run(
            [str(COMMAND), "doctor"],
            env=self._environ | environ,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def doctor(server: ApiServer) -> Doctor:
    return Doctor(server)


@pytest.fixture
async def installer(api: Client) -> None:
    """The chart's DaemonSet, as far as the doctor looks at it."""
    spec = {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "installer", "image": "installer"}]},
        },
    }
    meta = {"name": "installer", "namespace": NAMESPACE, "labels": LABELS}
    await api.apply(DAEMON_SETS, {"metadata": meta, "spec": spec})
    status = {"currentNumberScheduled": 2, "numberMisscheduled": 0}
    status |= {"desiredNumberScheduled": 2, "numberReady": 2}
    path = DAEMON_SETS.path(NAMESPACE, "installer", "status")
    await api._request(
        "PATCH",
        path,
        body={"status": status},
        content_type="application/merge-patch+json",
        action="patch",
    )


@pytest.mark.usefixtures("installer")
async def test_from_nothing_to_health_and_back(
    doctor: Doctor, cluster: Cluster, operator: Operator, api: Client
) -> None:
    del operator
    code, said = await asyncio.to_thread(doctor.run)
    assert code == 1
    assert "ERROR    SpiderCoordinator default: does not exist" in said

    pools = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await cluster.config_map("kube-system", "kubeadm-config", pools)
    await cluster.coordinator({"podCIDRType": "cluster", "vethLinkAddress": "169.254.100.1"})
    networks = Networks(api)
    await networks.make("healthy")
    await networks.ready("healthy")

    async def healthy() -> bool:
        code, said = await asyncio.to_thread(doctor.run)
        return code == 0 and "doctor: 0 errors, 0 warnings, 1 note," in said

    await eventually("the doctor has nothing to say", healthy)

    await networks.make_nad("foreign", '{"type":"coordinator"}')
    await networks.wanting("rival", "foreign")
    await networks.has("rival", "Ready", "False")
    code, said = await asyncio.to_thread(doctor.run)
    assert code == 1
    assert f"ERROR    SpiderMultusConfig {NAMESPACE}/rival: not Ready, NameConflict" in said
    assert f"NetworkAttachmentDefinition {NAMESPACE}/foreign: coordinator is its first" in said


async def test_an_operator_that_is_gone_is_seen_by_its_lease(
    doctor: Doctor, cluster: Cluster, api: Client
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    meta = {"namespace": NAMESPACE, "labels": LABELS | {"app.kubernetes.io/component": "operator"}}
    spec = {"holderIdentity": "gone", "renewTime": "2026-01-02T03:04:05.000000Z"}
    for name in ("one", "two"):
        await api.apply(LEASES, {"metadata": meta | {"name": name}, "spec": spec})
    try:
        own = {"SPIDERCOORDINATOR_LEASE": "two", "SPIDERCOORDINATOR_NAMESPACE": NAMESPACE}
        _, said = await asyncio.to_thread(doctor.run)
        _, said_inside = await asyncio.to_thread(lambda: doctor.run(**own))
    finally:
        for name in ("one", "two"):
            await api.delete(LEASES, name, NAMESPACE)
    text = f"ERROR    Lease {NAMESPACE}/{{}}: gone has not renewed it for "
    assert [text.format(name) in said for name in ("one", "two")] == [True, True]
    assert [text.format(name) in said_inside for name in ("one", "two")] == [False, True]


async def test_a_reconciler_of_whereabouts_is_warned_of_where_networks_use_it(
    doctor: Doctor, api: Client, cluster: Cluster
) -> None:
    schedule = {"cron-expression": "30 4 * * *"}
    await cluster.config_map("kube-system", RECONCILER_CONFIG, schedule)
    warned = f"WARNING  ConfigMap kube-system/{RECONCILER_CONFIG}: whereabouts' reconciler runs"
    assert warned not in (await asyncio.to_thread(doctor.run))[1]
    ipam = {"type": "whereabouts", "range": "10.6.0.0/16"}
    config = {"name": "a", "plugins": [{"type": "macvlan", "ipam": ipam}]}
    meta = {"name": "a", "namespace": NAMESPACE, "annotations": {CONTENT_HASH: "1"}}
    nad = {"metadata": meta, "spec": {"config": json.dumps(config)}}
    await api.apply(NETWORK_ATTACHMENT_DEFINITIONS, nad)
    try:
        _, said = await asyncio.to_thread(doctor.run)
        assert warned in said
        await cluster.config_map("kube-system", RECONCILER_CONFIG, NEVER)
        assert RECONCILER_CONFIG not in (await asyncio.to_thread(doctor.run))[1]
        await api.delete(CONFIG_MAPS, RECONCILER_CONFIG, "kube-system")
        said = (await asyncio.to_thread(doctor.run))[1]
        assert f"NOTE     ConfigMap {RECONCILER_CONFIG}: is in no namespace" in said
    finally:
        await api.delete(NETWORK_ATTACHMENT_DEFINITIONS, "a", NAMESPACE)


async def test_without_an_api_server_it_says_so(doctor: Doctor) -> None:
    code, said = await asyncio.to_thread(lambda: doctor.run(KUBECONFIG="/nowhere"))
    assert code == Exit.NO_ANSWER
    assert "cannot log in with kubeconfig /nowhere" in said


async def test_what_the_user_may_not_read_is_said(
    doctor: Doctor, server: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.coordinator(name="other")
    kinds = ",".join(each.full_name for each in OURS)
    for command in (
        "create serviceaccount reader",
        f"create clusterrole reader --verb=list --resource={kinds}",
        "create clusterrolebinding reader --clusterrole=reader --serviceaccount=default:reader",
    ):
        kubectl(server.kubeconfig, *command.split())
    token = kubectl(server.kubeconfig, "create", "token", "reader").strip()
    limited = tmp_path / "kubeconfig"
    limited.write_text(kubeconfig.with_token(server.url, server.authority.read_bytes(), token))
    _, said = await asyncio.to_thread(lambda: doctor.run(KUBECONFIG=str(limited)))
    assert "NOTE     SpiderCoordinator other: takes no effect" in said
    assert "UNSEEN   daemonsets.apps: this user may not read it" in said
    assert "UNSEEN   ConfigMap kube-system/kube-proxy: this user may not read it" in said
    assert "DaemonSet of the node installer" not in said, "unread is not missing"
