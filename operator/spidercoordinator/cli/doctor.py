"""`spidercoordinator doctor`: what hinders pods, as far as the API server tells."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.datapath import Others, known_bad
from spidercoordinator.core.checks.diagnosis import Finding, Seen, diagnose
from spidercoordinator.errors import ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.client import Api
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


class _Reader:
    """Reads what one may do without, and remembers what it was not allowed to read."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.unseen: dict[str, Finding] = {}

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
            found = await _list(self.api, resource, namespace, fields=f"metadata.name={name}")
        except ApiForbiddenError:
            self._refused(resource.describe(namespace, name))
            return None
        return found[0] if found else None

    def _refused(self, what: str) -> None:
        advice = "run this with the kubeconfig of an administrator"
        self.unseen[what] = Finding("UNSEEN", what, "this user may not read it (403)", advice)


async def doctor(settings: Settings) -> int:
    """Print one line for each finding; gives the exit status, 1 when there is an error.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or does not let the objects of this product be read.
    """
    async with Api(await Login.find()) as api:
        reader = _Reader(api)
        seen, others = await asyncio.gather(_seen(reader, settings), _others(reader, settings))
    return report([*diagnose(seen), *known_bad(others), *reader.unseen.values()])


def report(findings: Sequence[Finding]) -> int:
    """Print findings and their number; gives the exit status."""
    for finding in findings:
        print(finding.line)
    count = Counter(finding.level for finding in findings)
    print(
        f"doctor: {count['ERROR']} errors, {count['WARNING']} warnings, {count['NOTE']} notes, "
        f"{count['UNSEEN']} things that cannot be seen from here"
    )
    return 1 if count["ERROR"] else 0


async def _list(
    api: Api, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
) -> list[Object] | None:
    try:
        found, _ = await api.list(resource, namespace, labels=labels, fields=fields)
    except ApiNotFoundError:
        return None
    return found


async def _seen(reader: _Reader, settings: Settings) -> Seen:
    coordinators, networks, attachments, installers, leases = await asyncio.gather(
        _list(reader.api, SPIDERCOORDINATORS),
        _list(reader.api, SPIDERMULTUSCONFIGS),
        _list(reader.api, NETWORK_ATTACHMENT_DEFINITIONS),
        reader.list(DAEMON_SETS, INSTALLER),
        _leases(reader, settings),
    )
    return Seen(
        settings.name, coordinators, networks, attachments, datetime.now(UTC), installers, leases
    )


async def _leases(reader: _Reader, settings: Settings) -> list[Object] | None:
    """That of this operator's own replicas where it is known, or else all."""
    if not settings.lease:
        return await reader.list(LEASES, OPERATOR)
    found = await reader.find(LEASES, settings.lease, settings.namespace)
    return [found] if found else None


async def _others(reader: _Reader, settings: Settings) -> Others:
    namespace, name = settings.cilium_configmap
    cilium, felix, kube_proxy, agents, nodes = await asyncio.gather(
        reader.find(CONFIG_MAPS, name, namespace),
        reader.find(FELIX, "default"),
        reader.find(CONFIG_MAPS, "kube-proxy", "kube-system"),
        reader.list(DAEMON_SETS, "app.kubernetes.io/component=spiderpool-agent"),
        reader.list(NODES),
    )
    return Others(cilium, felix, kube_proxy, bool(agents), _version(nodes or ()))


def _version(nodes: Iterable[Object]) -> str:
    """The version of a node, which is that of its kube-proxy too; empty when there is none."""
    found = (node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion") for node in nodes)
    return next((str(each) for each in found if each), "")
