"""An operator that serves its webhook to an API server of its own."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
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
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.conftest import serving_our_kinds
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.installers import SELECTOR
from tests.apiserver.networks import Networks

NAME = "spidercoordinator"
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
