"""`spidercoordinator preflight`: what a cluster lacks for an installation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

from spidercoordinator.api.crd import KINDS, crd
from spidercoordinator.api.objects import Object
from spidercoordinator.cli.connection import Connection
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.manifests import read
from spidercoordinator.cli.output import Format, print_findings
from spidercoordinator.cli.reader import Reader
from spidercoordinator.core.checks.preflight import WHEREABOUTS_KIND, Target, planned, preflight
from spidercoordinator.core.checks.whereabouts import RECONCILER_CONFIG
from spidercoordinator.core.network.ipam import SPIDERPOOL_KIND
from spidercoordinator.errors import ManifestError
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    NODES,
)
from spidercoordinator.kube.version import server_version


async def check_cluster(
    connection: Connection, files: Sequence[str], output: Format = "table"
) -> Exit:
    """Print one line for each finding; returns the exit status, 1 when there is an error.

    Args:
        connection: To the cluster.
        files: Values files of the chart, a later one over an earlier one, as helm takes them.
        output: How to print.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer.
        ManifestError: a file cannot be read, or is no YAML.
    """
    plan = planned(_values(files), version("spidercoordinator"))
    async with connection.open() as api:
        reader = Reader(api)
        target = await _target(reader)
    findings = [*preflight(target, plan), *reader.unreadable.values()]
    return print_findings(findings, "preflight", output)


def _values(files: Sequence[str]) -> Mapping[str, Any]:
    result: Mapping[str, Any] = {}
    for origin, document in read(files):
        if document is None:
            continue
        if not isinstance(document, Mapping):
            raise ManifestError(f"{origin}: it is no values file: it holds no object")
        result = _merged(result, document)
    return result


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    result = dict(below)
    for key, value in above.items():
        inner = result.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(inner, value) if both and inner is not None else value
    return result


async def _target(reader: Reader) -> Target:
    api = reader.api
    kinds = (SPIDERPOOL_KIND, WHEREABOUTS_KIND, *(kind.crd_name for kind in KINDS))
    find = partial(reader.find, CUSTOM_RESOURCE_DEFINITIONS)
    spiderpool, whereabouts, *ours = await asyncio.gather(*map(find, kinds))
    reconciler = await reader.find(CONFIG_MAPS, RECONCILER_CONFIG) if whereabouts else None
    others = [
        kind.crd_name
        for kind, found in zip(KINDS, ours, strict=True)
        if found is not None and not _is_same(found, crd(kind))
    ]
    return Target(
        version=await server_version(api),
        nodes=await reader.list(NODES),
        daemon_sets=await reader.list(DAEMON_SETS),
        nad_kind=await api.serves(NETWORK_ATTACHMENT_DEFINITIONS),
        spiderpool=spiderpool is not None,
        whereabouts=whereabouts is not None,
        reconciler=reconciler,
        kinds_of_others=others,
    )


def _is_same(found: Object, own: Object) -> bool:
    """Whether a CRD describes spec and status as ours does; the API server adds other fields."""
    described = [
        {key: _fields(part["schema"]["openAPIV3Schema"], key) for key in ("spec", "status")}
        for each in (found, own)
        for part in each["spec"]["versions"][:1]
    ]
    return described[0] == described[1]


def _fields(schema: Object, part: str) -> list[str]:
    return sorted((schema.get("properties") or {}).get(part, {}).get("properties") or ())
