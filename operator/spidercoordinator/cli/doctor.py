"""`spidercoordinator doctor`: what keeps pods from being served, as far as the API server knows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.datapath import ClusterComponents, known_conflicts
from spidercoordinator.core.checks.diagnosis import Finding, Snapshot, diagnose
from spidercoordinator.errors import ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    DAEMON_SETS,
    LEASES,
    NETWORK_ATTACHMENT_DEFINITIONS,
    NODES,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from spidercoordinator.runtime.settings import Settings

FELIX: Final = Resource("crd.projectcalico.org", "v1", "felixconfigurations", "FelixConfiguration")
_LABELS: Final = "app.kubernetes.io/name=spidercoordinator,app.kubernetes.io/component="
INSTALLER: Final = f"{_LABELS}installer"
"""Labels of the chart's DaemonSet."""
OPERATOR: Final = f"{_LABELS}operator"
"""Labels of the operator's Lease."""


class Reader:
    """Reads what one may do without, and remembers what it was not allowed to read."""

    def __init__(self, api: Client) -> None:
        self.api = api
        self.unreadable: dict[str, Finding] = {}

    async def list(self, resource: Resource, labels: str = "") -> list[Object] | None:
        """All objects of a kind, None when there is no such kind, or they are not to be read."""
        try:
            return await _list(self.api, resource, labels=labels)
        except ApiForbiddenError:
            self._refused(resource.full_name)
            return None

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """One object, None when it does not exist, or is not to be read.

        It is listed, not got: that is what the operator's own rights allow.
        """
        try:
            objects = await _list(self.api, resource, namespace, fields=f"metadata.name={name}")
        except ApiForbiddenError:
            self._refused(resource.describe(namespace, name))
            return None
        return objects[0] if objects else None

    def _refused(self, what: str) -> None:
        advice = "run this with the kubeconfig of an administrator"
        self.unreadable[what] = Finding("UNSEEN", what, "this user may not read it (403)", advice)


async def doctor(settings: Settings) -> int:
    """Print one line for each finding; returns the exit status, 1 when there is an error.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or does not let the objects of this product be read.
    """
    async with Client(await Login.find()) as api:
        reader = Reader(api)
        snapshot, components = await asyncio.gather(
            _snapshot(reader, settings), _components(reader, settings)
        )
    return print_findings(
        [*diagnose(snapshot), *known_conflicts(components), *reader.unreadable.values()]
    )


def print_findings(findings: Sequence[Finding], command: str = "doctor") -> int:
    """Print findings and their number; returns the exit status."""
    for finding in findings:
        print(finding.line)
    count = Counter(finding.level for finding in findings)
    print(
        f"{command}: {count['ERROR']} errors, {count['WARNING']} warnings, {count['NOTE']} notes, "
        f"{count['UNSEEN']} things that cannot be seen from here"
    )
    return 1 if count["ERROR"] else 0


async def _list(
    api: Client, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
) -> list[Object] | None:
    try:
        objects, _ = await api.list(resource, namespace, labels=labels, fields=fields)
    except ApiNotFoundError:
        return None
    return objects


async def _snapshot(reader: Reader, settings: Settings) -> Snapshot:
    coordinators, networks, nads, installers, leases = await asyncio.gather(
        _list(reader.api, SPIDERCOORDINATORS),
        _list(reader.api, SPIDERMULTUSCONFIGS),
        _list(reader.api, NETWORK_ATTACHMENT_DEFINITIONS),
        reader.list(DAEMON_SETS, INSTALLER),
        _leases(reader, settings),
    )
    return Snapshot(
        settings.name, coordinators, networks, nads, datetime.now(UTC), installers, leases
    )


async def _leases(reader: Reader, settings: Settings) -> list[Object] | None:
    """That of this operator's own replicas where it is known, or else all."""
    if not settings.lease:
        return await reader.list(LEASES, OPERATOR)
    objects = await reader.find(LEASES, settings.lease, settings.namespace)
    return [objects] if objects else None


async def _components(reader: Reader, settings: Settings) -> ClusterComponents:
    namespace, name = settings.cilium_configmap
    cilium, felix, kube_proxy, agents, nodes = await asyncio.gather(
        reader.find(CONFIG_MAPS, name, namespace),
        reader.find(FELIX, "default"),
        reader.find(CONFIG_MAPS, "kube-proxy", "kube-system"),
        reader.list(DAEMON_SETS, "app.kubernetes.io/component=spiderpool-agent"),
        reader.list(NODES),
    )
    return ClusterComponents(cilium, felix, kube_proxy, bool(agents), _version(nodes or ()))


def _version(nodes: Iterable[Object]) -> str:
    """The version of a node, which is that of its kube-proxy too; empty when there is none."""
    versions = (node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion") for node in nodes)
    return next((str(each) for each in versions if each), "")
