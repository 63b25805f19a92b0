"""`spidercoordinator doctor`: what keeps pods from being served, as far as the API server knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.connection import Connection
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.nodes import examine_nodes
from spidercoordinator.cli.output import Format, print_findings
from spidercoordinator.cli.reader import Reader, read
from spidercoordinator.core.checks.datapath import ClusterComponents, known_conflicts
from spidercoordinator.core.checks.diagnosis import Finding, Snapshot, diagnose
from spidercoordinator.core.checks.whereabouts import (
    RECONCILER_CONFIG,
    reconciler_findings,
    used_by,
)
from spidercoordinator.discovery.kuberouter import runs_firewall
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
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


async def doctor(
    connection: Connection,
    settings: Settings,
    output: Format = "table",
    *,
    all_nodes: bool = False,
) -> Exit:
    """Print one line for each finding; returns the exit status.

    Args:
        connection: to the cluster; its namespace, if there is one, is that of the networks and
            NADs to look at.
        settings: of the operator.
        output: how to print.
        all_nodes: ask the doctors of all nodes, too.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or does not let the objects of this product be read.
    """
    async with connection.open() as api:
        reader = Reader(api)
        snapshot, components = await asyncio.gather(
            _snapshot(reader, settings, connection.namespace), _components(reader, settings)
        )
        whereabouts = await _whereabouts(reader, snapshot)
        nodes = await examine_nodes(reader, INSTALLER) if all_nodes else []
    findings = [
        *diagnose(snapshot),
        *known_conflicts(components),
        *whereabouts,
        *nodes,
        *reader.unreadable.values(),
    ]
    return print_findings(findings, "doctor", output)


async def _snapshot(reader: Reader, settings: Settings, namespace: str) -> Snapshot:
    coordinators, networks, nads, installers, leases = await asyncio.gather(
        read(reader.api, SPIDERCOORDINATORS),
        read(reader.api, SPIDERMULTUSCONFIGS, namespace),
        read(reader.api, NETWORK_ATTACHMENT_DEFINITIONS, namespace),
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


async def _whereabouts(reader: Reader, snapshot: Snapshot) -> list[Finding]:
    """Its reconciler, where networks get their addresses from it."""
    if not used_by(snapshot.nads):
        return []
    config_map = await reader.find(CONFIG_MAPS, RECONCILER_CONFIG)
    refused = CONFIG_MAPS.describe("", RECONCILER_CONFIG) in reader.unreadable
    return [] if refused else [*reconciler_findings(config_map)]


async def _components(reader: Reader, settings: Settings) -> ClusterComponents:
    namespace, name = settings.cilium_configmap
    cilium, felix, kube_proxy, router, agents, nodes = await asyncio.gather(
        reader.find(CONFIG_MAPS, name, namespace),
        _felix(reader),
        reader.find(CONFIG_MAPS, "kube-proxy", "kube-system"),
        reader.find(DAEMON_SETS, "kube-router", "kube-system"),
        reader.list(DAEMON_SETS, "app.kubernetes.io/component=spiderpool-agent"),
        reader.list(NODES),
    )
    return ClusterComponents(
        cilium=cilium,
        felix=felix,
        kube_proxy=kube_proxy,
        kube_router_firewall=router is not None and runs_firewall(router),
        spiderpool=bool(agents),
        version=_version(nodes or ()),
    )


async def _felix(reader: Reader) -> Object | None:
    """Calico's settings; where Calico is not, nobody need be allowed to read them."""
    calico = await reader.find(CUSTOM_RESOURCE_DEFINITIONS, FELIX.full_name)
    return await reader.find(FELIX, "default") if calico else None


def _version(nodes: Iterable[Object]) -> str:
    """The version of a node, which is that of its kube-proxy too; empty when there is none."""
    versions = (node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion") for node in nodes)
    return next((str(each) for each in versions if each), "")
