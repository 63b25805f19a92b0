"""Ask the API server itself: a Service with an impossible ClusterIP, as a dry run.

Nothing is created. The refusal names the range, on any cluster and any version:
`The range of valid IPs is 10.96.0.0/12` (kubernetes pkg/registry/core/service/ipallocator).
"""

from __future__ import annotations

import re
from typing import Final

from spidercoordinator.core.cidrs.selection import Finding, normalise
from spidercoordinator.errors import ApiForbiddenError, ApiInvalidError
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.resource import SERVICES

SOURCE: Final = "the API server's refusal of a dry-run Service"

_RANGE: Final = re.compile(r"range of valid IPs is ([0-9A-Fa-f:.]+/\d+)")
# 0.0.0.1 is in no range anybody may configure, 2001:db8::/32 is for documentation (RFC 3849).
_IMPOSSIBLE: Final = ("0.0.0.1", "2001:db8::1")


def read_refusal(message: str) -> tuple[str, ...]:
    """The ranges a refusal names, none when it is about something else."""
    return normalise(_RANGE.findall(message))


async def ask(api: Api, namespace: str) -> Finding:
    """Try both families; a cluster without one of them refuses that for another reason.

    Raises:
        ApiError: the API server was not reached; call again.
    """
    found: list[str] = []
    lacks = ""
    for address in _IMPOSSIBLE:
        body = {
            "metadata": {"generateName": "spidercoordinator-", "namespace": namespace},
            "spec": {"clusterIP": address, "ports": [{"port": 80}]},
        }
        try:
            await api.create(SERVICES, body, namespace, dry_run=True)
        except ApiInvalidError as error:
            found += read_refusal(str(error))
        except ApiForbiddenError as error:
            lacks = str(error)
    cidrs = normalise(found)
    lacks = lacks or "the API server's refusal of a dry-run Service names no range"
    return Finding(SOURCE, tells=("service",), service=cidrs, lacks="" if cidrs else lacks)
