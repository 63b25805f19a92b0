"""The webhook's certificate as the real cert-manager issues and renews it, and has it trusted.

Only the kubelet is missing, which would mount the Secret: the test writes its files as it does.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spidercoordinator.runtime.certificates import KeyPair
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Operator, eventually
from tests.chart.helm import Helm, merged, nested
from tests.chart.test_access import account, environment
from tests.chart.test_cert_manager import ON, Mount, bundles
from tests.chart.test_webhook import CONFIGURATION, NAME

CERTIFICATE = NAME
SECRET = f"{NAME}-tls"
WITHIN = 60


@dataclass
class Served:
    """The webhook of an operator that serves what cert-manager issues.

    Attributes:
        cluster: the release's.
        mount: the folder of the Secret in the operator's pod.
        port: of the webhook.
    """

    cluster: Helm
    mount: Mount
    port: int

    def issued(self) -> KeyPair | None:
        """What is in the Secret."""
        found = self.cluster.kubectl(
            "get", "secret", SECRET, "--ignore-not-found", "-o=json"
        ).stdout
        if not found:
            return None
        data = {
            key: base64.b64decode(text).decode() for key, text in json.loads(found)["data"].items()
        }
        return KeyPair(data["tls.crt"], data["tls.key"])

    async def trusted(self) -> str:
        """The caBundle, once every webhook has one and the same."""

        async def same() -> str:
            found = set(bundles(self.cluster))
            return found.pop() if len(found) == 1 and "" not in found else ""

        found: str = await eventually("the cainjector writes the caBundle", same, seconds=WITHIN)
        return found

    async def mounted(self, before: KeyPair | None = None) -> KeyPair:
        """Mount what is issued, another pair than the one before, and wait until it is served."""

        async def renewed() -> KeyPair | None:
            found = self.issued()
            return None if found == before else found

        found: KeyPair = await eventually("a certificate is issued", renewed, seconds=WITHIN)
        self.mount.renew(found)
        context = await self.context()

        async def is_served() -> bool:
            der = ssl.PEM_cert_to_DER_cert(found.certificate.partition("-----END")[0] + _END)
            return self.shown(context) == der

        await eventually("it is served and trusted", is_served, seconds=WITHIN)
        return found

    async def context(self) -> ssl.SSLContext:
        """Trust in what the API server trusts."""
        pem = base64.b64decode(await self.trusted()).decode()
        return ssl.create_default_context(cadata=pem)

    def shown(self, context: ssl.SSLContext) -> bytes:
        """The certificate that the webhook shows to who expects it as the API server does."""
        name = f"{NAME}.default.svc"
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=name) as encrypted,
            ):
                return encrypted.getpeercert(binary_form=True) or b""
        except OSError:
            return b""


_END = "-----END CERTIFICATE-----\n"


@pytest.fixture
async def served(cert_manager: Helm, server: ApiServer, tmp_path: Path) -> AsyncIterator[Served]:
    cert_manager.install(ON)
    port, mount = free_port(), Mount(tmp_path / "mount")
    given = {
        "SPIDERCOORDINATOR_WEBHOOK_PORT": str(port),
        "SPIDERCOORDINATOR_WEBHOOK_CERTIFICATES": str(mount.folder),
    }
    login = account(cert_manager, server, "test-spidercoordinator-operator")
    operator = Operator(login, tmp_path / "log", environment(cert_manager, ON) | given)
    operator.start()
    yield Served(cert_manager, mount, port)
    operator.stop()


def renew(cluster: Helm) -> None:
    """Ask for another certificate, as `cmctl renew` does."""
    condition = {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "the test asks for it",
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    body = json.dumps({"status": {"conditions": [condition]}})
    cluster.kubectl(
        "patch", "certificate", CERTIFICATE, "--subresource=status", "--type=merge", "-p", body
    )


async def test_it_is_issued_renewed_and_trusted_all_the_while(served: Served) -> None:
    first = await served.mounted()
    bundle = await served.trusted()
    renew(served.cluster)
    await served.mounted(first)
    assert await served.trusted() == bundle


async def test_what_is_trusted_comes_back_and_stays_over_an_upgrade(served: Served) -> None:
    pair = await served.mounted()
    bundle = await served.trusted()
    taken = [{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]
    served.cluster.kubectl("patch", CONFIGURATION, NAME, "--type=json", "-p", json.dumps(taken))
    assert await served.trusted() == bundle
    served.cluster.install(merged(ON, nested("operator.log.level", "debug")))
    assert await served.trusted() == bundle
    assert served.issued() == pair
