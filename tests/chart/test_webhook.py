"""The chart's webhook: off unless wanted, in nobody's way, and kept by the operator's account."""

import base64
from pathlib import Path

from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Operator, eventually
from tests.chart.helm import Helm, Object, merged, nested
from tests.chart.test_access import account, environment

ON = nested("operator.webhook.enabled", True)
NAME = "test-spidercoordinator-webhook"
CONFIGURATION = "validatingwebhookconfigurations"


def kinds(objects: list[Object]) -> set[str]:
    return {thing["kind"] for thing in objects}


def test_it_is_off_unless_wanted(helm: Helm) -> None:
    assert "ValidatingWebhookConfiguration" not in kinds(helm.template())
    assert "Secret" not in kinds(helm.template())


def test_it_is_asked_about_our_kinds_only_and_nothing_waits_for_it(helm: Helm) -> None:
    [found] = [
        thing for thing in helm.template(ON) if thing["kind"] == "ValidatingWebhookConfiguration"
    ]
    asked = {
        (rule["apiGroups"][0], rule["resources"][0])
        for webhook in found["webhooks"]
        for rule in webhook["rules"]
    }
    assert asked == {
        ("spiderpool.spidernet.io", "spidermultusconfigs"),
        ("spiderpool.spidernet.io", "spidercoordinators"),
    }
    for webhook in found["webhooks"]:
        assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 3)
        assert webhook["sideEffects"] == "None"


async def test_certificate_is_kept_with_the_operators_own_account_over_an_upgrade(
    cluster: Helm, server: ApiServer, tmp_path: Path
) -> None:
    cluster.install(ON)
    login = account(cluster, server, "test-spidercoordinator-operator")
    given = {
        "SPIDERCOORDINATOR_WEBHOOK_CONFIGURATION": NAME,
        "SPIDERCOORDINATOR_WEBHOOK_PORT": str(free_port()),
    }
    operator = Operator(login, tmp_path / "log", environment(cluster) | given)
    operator.start()

    def certificate() -> str:
        return str((cluster.get("secret", NAME).get("data") or {}).get("tls.crt", ""))

    def bundles() -> set[str]:
        webhooks = cluster.get(CONFIGURATION, NAME)["webhooks"]
        return {webhook["clientConfig"].get("caBundle", "") for webhook in webhooks}

    async def trusted() -> bool:
        return bool(certificate()) and bundles() == {certificate()}

    try:
        await eventually("the certificate is made and trusted", trusted, seconds=30)
        before = certificate()
        assert b"BEGIN CERTIFICATE" in base64.b64decode(before)
        cluster.install(merged(ON, nested("operator.log.level", "debug")))
        assert certificate() == before
        assert bundles() == {before}
    finally:
        operator.stop()
    assert "orbidden" not in operator.text()
