"""Ask the doctors of all nodes, in the installer's pods there.

That needs the right to list pods in all namespaces, and to get and create pods/exec where the chart
is installed; an installer's pod holds no API credentials.
"""

from __future__ import annotations

import asyncio
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.installers import CONTAINER
from spidercoordinator.cli.reader import Reader
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.nodereports import report_findings, together, unseen
from spidercoordinator.errors import ApiError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.execution import Container, execute
from spidercoordinator.kube.resource import PODS

_COMMAND: Final = ("/coordinator-install", "doctor")
_AT_ONCE: Final = 10
"""Nodes that are asked at once: each is a stream through the API server."""
_TIMEOUT: Final = 30.0
"""Seconds for one node."""


async def examine_nodes(reader: Reader, installer: str) -> list[Finding]:
    """What is wrong on nodes; empty where there are no pods of the installer, or may not be read.

    Args:
        reader: of the cluster.
        installer: label selector of the installer's pods.
    """
    pods = await reader.list(PODS, installer) or []
    limit = asyncio.Semaphore(_AT_ONCE)
    reports = await asyncio.gather(*(_examine(reader.api, pod, limit) for pod in pods))
    return together({_node(pod): found for pod, found in zip(pods, reports, strict=True)})


async def _examine(api: Client, pod: Object, limit: asyncio.Semaphore) -> list[Finding]:
    meta = pod["metadata"]
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        return [unseen(f"its installer's pod {meta['namespace']}/{meta['name']} is {phase}")]
    where = Container(meta["namespace"], meta["name"], CONTAINER)
    try:
        async with limit, asyncio.timeout(_TIMEOUT):
            done = await execute(api, where, _COMMAND)
    except TimeoutError:
        return [unseen(f"its doctor did not answer in {_TIMEOUT:g} s")]
    except ApiError as error:
        # Without the pod's name, so that what all nodes have in common is told once.
        return [unseen(str(error).replace(f"{where.namespace}/{where.pod}", "of the installer"))]
    return report_findings(done.output or done.errors)


def _node(pod: Object) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or pod["metadata"]["name"])
