"""Ask the API server itself: a Service with an impossible ClusterIP, as a dry run.

Nothing is created. The refusal names the range, on any cluster and any version:
`The range of valid IPs is 10.96.0.0/12` (kubernetes pkg/registry/core/service/ipallocator).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.errors import ApiError, ApiForbiddenError, ApiInvalidError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import SERVICES

SOURCE: Final = "the API server's refusal of a dry-run Service"

_RANGE: Final = re.compile(r"range of valid IPs is ([0-9A-Fa-f:.]+/\d+)")
# 0.0.0.1 is in no range anybody may configure, 2001:db8::/32 is for documentation (RFC 3849).
_IMPOSSIBLE: Final = ("0.0.0.1", "2001:db8::1")


def read_refusal(message: str) -> tuple[str, ...]:
    """The ranges a refusal names, none when it is about something else."""
    return normalise(_RANGE.findall(message))


async def ask(api: Client, namespace: str) -> SourceReport:
    """Try both families; a cluster without one of them refuses that for another reason."""
    refusals = []
    for address in _IMPOSSIBLE:
        body = {
            "metadata": {"generateName": "spidercoordinator-", "namespace": namespace},
            "spec": {"clusterIP": address, "ports": [{"port": 80}]},
        }
        try:
            await api.create(SERVICES, body, namespace, dry_run=True)
        except ApiError as error:
            refusals.append(error)
    return read_refusals(refusals)


def read_refusals(refusals: Sequence[ApiError]) -> SourceReport:
    """What the answers of both families tell; one that failed says nothing of its own family."""
    ranges: list[str] = []
    unread = ""
    for error in refusals:
        if isinstance(error, ApiInvalidError):
            ranges += read_refusal(str(error))
        elif isinstance(error, ApiForbiddenError):
            unread = f"may not try to create a Service (dry run): {error}"
        else:
            unread = f"{SOURCE}: {error}"
    cidrs = normalise(ranges)
    missing = unread or "the API server's refusal of a dry-run Service names no range"
    return SourceReport(
        SOURCE,
        kinds=("service",),
        service=cidrs,
        missing="" if cidrs else missing,
        unread=unread,
    )
