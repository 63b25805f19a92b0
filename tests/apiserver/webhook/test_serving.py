"""The webhook's certificate, its port, its replicas, and its absence."""

from __future__ import annotations

import base64
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spidercoordinator.kube.resource import (
    SECRETS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
)
from spidercoordinator.runtime.certificaterotator import CERTIFICATE, FORMER, KEY
from spidercoordinator.runtime.certificates import self_signed
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Operator, eventually
from tests.apiserver.networks import Networks
from tests.apiserver.webhook.conftest import BAD, NAME, configuration, refuses, replica, secret


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
