"""The admission webhook on a real API server: refusals, warnings, its certificate, its absence."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.errors import ApiInvalidError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    SECRETS,
    SPIDERMULTUSCONFIGS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
)
from spidercoordinator.runtime.certificaterotator import CERTIFICATE, FORMER, KEY
from spidercoordinator.runtime.certificates import self_signed
from testbed import binaries
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.conftest import serving_our_kinds
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.installers import SELECTOR, Installers
from tests.apiserver.networks import MACVLAN, Networks

NAME = "spidercoordinator"
REFUSED = 'spidercoordinator_webhook_reviews_total{kind="SpiderMultusConfig",result="refused"}'
BAD = {"cniType": "custom", "customCNI": "42"}


@pytest.fixture(scope="module")
def own_server() -> Iterator[ApiServer]:
    with serving_our_kinds() as running:
        yield running


def replica(server: ApiServer, folder: Path, port: int) -> Operator:
    return Operator(
        server.kubeconfig,
        folder / f"log-{port}",
        {
            "SPIDERCOORDINATOR_WEBHOOK_CONFIGURATION": NAME,
            "SPIDERCOORDINATOR_WEBHOOK_PORT": str(port),
            "SPIDERCOORDINATOR_INSTALLER_PODS": SELECTOR,
            # Of two replicas one does not lead; it answers all the same.
            "SPIDERCOORDINATOR_LEASE": NAME,
        },
    )


def configuration(port: int) -> dict[str, Any]:
    """As a chart would make it, but for an operator outside the cluster."""
    return {
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": f"{kind}.{NAME}.spiderpool.spidernet.io",
                "clientConfig": {"url": f"https://127.0.0.1:{port}/validate-{kind}"},
                "rules": [
                    {
                        "apiGroups": ["spiderpool.spidernet.io"],
                        "apiVersions": ["v2beta1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": [plural],
                    }
                ],
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "timeoutSeconds": 5,
                "admissionReviewVersions": ["v1"],
            }
            for kind, plural in (
                ("network", "spidermultusconfigs"),
                ("coordinator", "spidercoordinators"),
            )
        ],
    }


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def webhook(
    own_server: ApiServer, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    running = replica(own_server, tmp_path_factory.mktemp("webhook"), port)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def networks(own_server: ApiServer, webhook: Operator, port: int) -> AsyncIterator[Networks]:
    assert webhook.running()
    async with Client(await Login.find({"KUBECONFIG": str(own_server.kubeconfig)})) as client:
        if await client.find(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME) is None:
            await client.create(VALIDATING_WEBHOOK_CONFIGURATIONS, configuration(port))
        await Cluster(client).coordinator({"podCIDRType": "none"})
        made = Networks(client)
        await eventually("the webhook answers", lambda: refuses(made))
        yield made


async def refuses(networks: Networks) -> bool:
    """Whether the webhook is asked: only it refuses this object."""
    body = {"metadata": {"name": "probe", "namespace": "default"}, "spec": BAD}
    try:
        await networks.api.create(SPIDERMULTUSCONFIGS, body, "default", dry_run=True)
    except ApiInvalidError:
        return True
    return False


async def secret(networks: Networks) -> dict[str, str]:
    data = (await networks.api.get(SECRETS, NAME, "default"))["data"]
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


async def test_refusal_names_field_and_what_is_allowed(networks: Networks) -> None:
    with pytest.raises(ApiInvalidError, match=r"spec\.customCNI: it is JSON, but not"):
        await networks.make("bad", BAD)


async def test_good_network_passes_and_works(networks: Networks) -> None:
    await networks.make("good")
    await networks.ready("good")


async def test_rival_is_refused_while_the_first_is_there(networks: Networks) -> None:
    await networks.wanting("first", "common")
    await networks.ready("first")
    with pytest.raises(ApiInvalidError, match="SpiderMultusConfig first"):
        await networks.wanting("second", "common")


async def test_cr_name_cannot_change(networks: Networks) -> None:
    with pytest.raises(ApiInvalidError, match="cr-name"):
        await networks.change(
            "first", {"metadata": {"annotations": {"multus.spidernet.io/cr-name": "other"}}}
        )


async def test_one_that_lost_its_name_can_be_relabelled_and_renamed(
    networks: Networks, webhook: Operator
) -> None:
    webhook.stop()
    await networks.wanting("late", "common")
    webhook.start()
    await networks.has("late", "NameConflict")
    await eventually("the webhook answers again", lambda: refuses(networks))
    await networks.change("late", {"metadata": {"labels": {"a": "b"}, "finalizers": ["x.org/y"]}})
    await networks.change("late", {"spec": {"macvlan": {"master": ["eth1"]}}})
    annotations = {"multus.spidernet.io/cr-name": "first"}
    with pytest.raises(ApiInvalidError, match="cr-name"):
        await networks.change("first", {"metadata": {"annotations": annotations}})
    annotations["multus.spidernet.io/cr-name"] = "late"
    await networks.change("late", {"metadata": {"annotations": annotations, "finalizers": None}})
    await networks.ready("late")
    assert await networks.nad("late")
    await networks.delete("late")


async def test_a_refusal_is_no_error_in_the_log(networks: Networks, webhook: Operator) -> None:
    with pytest.raises(ApiInvalidError):
        await networks.make("logged", BAD)
    lines = [each for each in webhook.text().splitlines() if "default/logged" in each]
    assert len(lines) == 1
    assert " INFO " in lines[0]
    assert "object=SpiderMultusConfig default/logged" in lines[0]
    assert "user=" in lines[0]
    assert webhook.metric(REFUSED) >= 1


def applied(server: ApiServer, spec: dict[str, Any], *flags: str, name: str) -> str:
    """What kubectl shows beside the result when it applies a network."""
    thing = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderMultusConfig",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
    command = [str(binaries.ensure() / "kubectl"), f"--kubeconfig={server.kubeconfig}"]
    shown = subprocess.run(
        [*command, "apply", *flags, "-f", "-"],
        input=json.dumps(thing),
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return shown.stderr


def test_doubtful_address_is_shown_by_kubectl(own_server: ApiServer, networks: Networks) -> None:
    assert networks
    spec = {**MACVLAN, "coordinator": {"vethLinkAddress": "169.254.169.254"}}
    shown = applied(own_server, spec, name="doubtful")
    assert "Warning: spec.coordinator.vethLinkAddress" in shown
    assert "metadata service" in shown


def test_field_that_the_api_server_drops_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    assert networks
    spec = {"cniType": "sriov", "sriov": {"resourceName": "acme.io/vf", "enableRdma": True}}
    shown = applied(own_server, spec, "--validate=false", name="old-field")
    assert "Warning: spec.sriov.enableRdma: there is no such field; it is called rdma" in shown


async def test_what_is_inherited_and_left_out_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    cluster = Cluster(networks.api)
    await cluster.coordinator({"podCIDRType": "none", "podMACPrefix": "0a:1b"})
    ipvlan = {"cniType": "ipvlan", "ipvlan": {"master": ["eth0"]}}

    async def shown() -> bool:
        told = applied(own_server, ipvlan, "--dry-run=server", name="inherits")
        return "Warning: spec.coordinator.podMACPrefix: 0a:1b of SpiderCoordinator" in told

    await eventually("kubectl shows the warning", shown)
    await cluster.coordinator({"podCIDRType": "none"})


async def test_master_that_no_node_has_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    installers = Installers(networks.api)

    def shown(master: str) -> str:
        # It is there already, on another master: this is a change.
        spec = {"cniType": "macvlan", "macvlan": {"master": [master]}}
        return applied(own_server, spec, "--dry-run=server", name="moved")

    async def shows(master: str, text: str) -> None:
        async def check() -> bool:
            found = shown(master)
            return text in found if text else not found

        await eventually(f"{master}: kubectl shows {text!r}", check)

    applied(own_server, MACVLAN, name="moved")
    await installers.start("other", labels={"app": "other"})
    await installers.tell("other", "eth9")
    for node in ("node-1", "node-2", "node-3"):
        await installers.start(node)
    assert shown("eth9") == ""
    await installers.tell("node-1", "eth0")
    await shows("eth9", 'Warning: spec.macvlan.master[0]: interface "eth9" is not on the only node')
    await installers.tell("node-2", "eth0", "eth1")
    await shows("eth9", "is not on any of the 2 nodes that report (node-1, node-2), so pods fail")
    assert shown("eth0") == ""
    await shows("eth1", "is not on 1 of 2 nodes (node-1), so pods fail there")
    await installers.tell("node-2", "eth0", truncated=True)
    await shows("eth9", "of 1 it is not known (node-2)")
    await installers.end("node-2")
    await shows("eth9", "is not on the only node that reports (node-1)")
    await installers.end("node-1", "node-3", "other")
    await shows("eth9", "")


async def test_a_range_that_another_network_gives_is_shown_by_kubectl(
    own_server: ApiServer, networks: Networks
) -> None:
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.6.0.0/24"}]]}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": ipam}
    assert "overlaps" not in applied(own_server, spec, name="first")

    async def shown() -> bool:
        told = applied(own_server, spec, "--dry-run=server", name="second")
        return "Warning: spec.ipam: 10.6.0.1 to 10.6.0.255 overlaps" in told and "/first" in told

    await eventually("kubectl shows the warning", shown)
    await networks.delete("first")


async def test_certificate_outlives_a_restart_and_nothing_depends_on_the_webhook(
    networks: Networks, webhook: Operator
) -> None:
    before = await secret(networks)
    webhook.stop()
    await networks.make("unchecked", BAD)
    webhook.start()
    assert "spec.customCNI" in (await networks.has("unchecked", "Invalid"))["message"]
    await eventually("the webhook answers again", lambda: refuses(networks))
    assert await secret(networks) == before


async def test_what_is_in_the_secret_is_renewed_in_time(
    networks: Networks, webhook: Operator
) -> None:
    for end, days in (("soon", 1), ("past", -1)):
        made = datetime.now(UTC) - timedelta(days=30)
        pair = self_signed(["127.0.0.1"], made, validity=timedelta(days=30 + days))
        now = await restarted_with(
            networks, webhook, {CERTIFICATE: pair.certificate, KEY: pair.private_key}
        )
        assert now[CERTIFICATE] != pair.certificate, end
        # It stays trusted, so that the other replicas may serve it a while longer.
        assert now[FORMER] == pair.certificate, end
        assert await trusted(networks) == now[CERTIFICATE] + pair.certificate, end


async def test_rubbish_in_the_secret_is_replaced(networks: Networks, webhook: Operator) -> None:
    good = await secret(networks)
    rubbish = {CERTIFICATE: "nonsense", KEY: "nonsense", FORMER: "nonsense"}
    now = await restarted_with(networks, webhook, rubbish)
    assert await trusted(networks) == now[CERTIFICATE] != good[CERTIFICATE]
    assert FORMER not in now


@pytest.mark.parametrize("what", ["deleted", "emptied", "another key", "for another name"])
async def test_a_secret_that_is_edited_is_mended_while_it_runs(
    networks: Networks, what: str
) -> None:
    before = await secret(networks)
    other = self_signed(["elsewhere"], datetime.now(UTC))
    edits = {
        "emptied": {CERTIFICATE: "", KEY: "", FORMER: ""},
        "another key": {KEY: other.private_key},
        "for another name": {CERTIFICATE: other.certificate, KEY: other.private_key},
    }
    if what == "deleted":
        await networks.api.delete(SECRETS, NAME, "default")
    else:
        data = {key: base64.b64encode(text.encode()).decode() for key, text in edits[what].items()}
        await networks.api.patch(SECRETS, NAME, "default", patch={"data": data})

    async def mended() -> bool:
        found = await networks.api.find(SECRETS, NAME, "default")
        if found is None or not (found.get("data") or {}).get(CERTIFICATE):
            return False
        now = await secret(networks)
        changed = now[CERTIFICATE] not in {before[CERTIFICATE], other.certificate}
        return changed and (await trusted(networks)).startswith(now[CERTIFICATE])

    await eventually("another certificate is made and trusted", mended, seconds=30)
    await eventually("the webhook answers", lambda: refuses(networks), seconds=30)


async def test_a_ca_bundle_that_is_edited_is_mended_while_it_runs(networks: Networks) -> None:
    before = await trusted(networks)
    found = await networks.api.get(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)
    for each in found["webhooks"]:
        each["clientConfig"].pop("caBundle")
    patch = {"webhooks": found["webhooks"]}
    await networks.api.patch(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME, patch=patch)

    async def mended() -> bool:
        found = await networks.api.get(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)
        bundles = {each["clientConfig"].get("caBundle", "") for each in found["webhooks"]}
        return bundles == {base64.b64encode(before.encode()).decode()}

    await eventually("the caBundle is back", mended, seconds=30)


async def test_a_port_in_use_keeps_nothing_but_the_webhook_from_working(
    networks: Networks, own_server: ApiServer, tmp_path: Path
) -> None:
    assert networks
    with socket.create_server(("", 0)) as rival:
        other = rival.getsockname()[1]
        second = replica(own_server, tmp_path, other)
        second.start()
        try:

            async def says_so() -> bool:
                status, text = second.get("/readyz")
                return status == 503 and f"cannot listen on port {other}" in text

            await eventually("it is not ready, and says why", says_so)
            assert second.metric("spidercoordinator_webhook_up") == 0
            assert second.get("/livez")[0] == 200
            assert second.text().count("cannot listen on port") == 1
        finally:
            rival.close()

    async def ready() -> bool:
        return second.get("/readyz")[0] == 200

    try:
        await eventually("it is ready once the port is free", ready)
        assert second.metric("spidercoordinator_webhook_up") == 1
        assert "the webhook answers again" in second.text()
        assert "Traceback" not in second.text()
    finally:
        second.stop()


async def test_ready_means_that_the_webhook_answers(
    networks: Networks, own_server: ApiServer, tmp_path: Path
) -> None:
    assert networks
    other = free_port()
    second = replica(own_server, tmp_path, other)
    second.start()
    try:

        async def ready() -> bool:
            return second.get("/readyz")[0] == 200

        await eventually("it is ready", ready, every=0.01)
        with socket.create_connection(("127.0.0.1", other)):
            pass
        ends = second.metric("spidercoordinator_webhook_certificate_expiration_timestamp_seconds")
        assert ends > datetime.now(UTC).timestamp()
    finally:
        second.stop()


async def restarted_with(
    networks: Networks, webhook: Operator, data: dict[str, str]
) -> dict[str, str]:
    """What the Secret holds once an operator has found these data in it, and serves again."""
    webhook.stop()
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    await networks.api.patch(SECRETS, NAME, "default", patch={"data": encoded})
    webhook.start()
    await eventually("the webhook answers again", lambda: refuses(networks))
    return await secret(networks)


async def trusted(networks: Networks) -> str:
    """The caBundle, which is the same in all webhooks."""
    found = await networks.api.get(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)
    [bundle] = {each["clientConfig"]["caBundle"] for each in found["webhooks"]}
    return base64.b64decode(bundle).decode()


async def test_second_replica_serves_the_same_certificate(
    networks: Networks, own_server: ApiServer, tmp_path: Path
) -> None:
    before = await secret(networks)
    other = free_port()
    second = replica(own_server, tmp_path, other)
    second.start()
    try:
        found = await networks.api.get(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)
        for each, fresh in zip(found["webhooks"], configuration(other)["webhooks"], strict=True):
            each["clientConfig"]["url"] = fresh["clientConfig"]["url"]
        await networks.api.patch(
            VALIDATING_WEBHOOK_CONFIGURATIONS, NAME, patch={"webhooks": found["webhooks"]}
        )
        await eventually("the second replica answers", lambda: refuses(networks))
        assert await secret(networks) == before
        assert second.metric("spidercoordinator_leader") == 0
    finally:
        second.stop()
