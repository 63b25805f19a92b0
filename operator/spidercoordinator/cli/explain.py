"""`spidercoordinator explain`: what one pod's network is, should be, and lacks.

What is in the pod is seen from inside: an ephemeral container of the installer's image, which is on
the node already, prints a report and ends. It needs NET_ADMIN to read nftables, and no other right;
where that is not allowed it is run without, and sees less. Kubernetes keeps the container in the
pod's list until the pod is deleted.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from secrets import token_hex
from typing import Any, Final

import click

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.connection import Connection
from spidercoordinator.cli.doctor import INSTALLER
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.output import Format, findings_document, print_document, print_findings
from spidercoordinator.cli.reader import Reader
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.explainpage import page
from spidercoordinator.core.checks.explanation import attachments, judge
from spidercoordinator.core.checks.podreport import PodReport
from spidercoordinator.errors import ApiError, ApiForbiddenError, ManifestError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import DAEMON_SETS, NETWORK_ATTACHMENT_DEFINITIONS, PODS

_PATIENCE: Final = 60.0
"""Seconds within which the container has to end."""
_LOOK: Final = 0.5
_NOBODY: Final = 65532


async def explain(connection: Connection, name: str, output: Format, *, inside: bool) -> Exit:
    """Print the page and the findings; returns the exit status.

    Args:
        connection: to the cluster.
        name: of the pod.
        output: how to print.
        inside: whether to look inside of the pod.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or the pod or the NADs may not be read.
    """
    async with connection.open() as api:
        namespace = connection.namespace or api.login.namespace or "default"
        pod = await api.get(PODS, name, namespace)
        networks = [
            replace(
                each, nad=await api.find(NETWORK_ATTACHMENT_DEFINITIONS, each.name, each.namespace)
            )
            for each in attachments(pod)
        ]
        reader = Reader(api)
        report, unseen = await _report(reader, pod) if inside else (None, [])
    findings = [*judge(pod, networks, report), *unseen, *reader.unreadable.values()]
    if output != "table":
        inner = report.model_dump(by_alias=True, mode="json") if report else None
        document = {"command": "explain", "pod": f"{namespace}/{name}", "report": inner}
        print_document(document | findings_document(findings), output)
        return Exit.FOUND if any(each.level == "ERROR" for each in findings) else Exit.OK
    for line in page(pod, networks, report):
        click.echo(line)
    click.echo()
    return print_findings(findings, "explain")


async def _report(reader: Reader, pod: Object) -> tuple[PodReport | None, list[Finding]]:
    """What is seen inside of the pod, or why it is not."""
    meta, what = pod["metadata"], "inside of the pod"
    if (pod.get("status") or {}).get("phase") != "Running":
        return None, [Finding("UNSEEN", what, "it does not run", "see its Events")]
    installers = await reader.list(DAEMON_SETS, INSTALLER)
    if not installers:
        advice = "install the chart, or be allowed to list daemonsets.apps"
        return None, [Finding("UNSEEN", what, "the installer's image is not known", advice)]
    image = installers[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    try:
        async with asyncio.timeout(_PATIENCE):
            return PodReport.read(await _look(reader.api, pod, image)), []
    except TimeoutError:
        value = f"the container did not end in {_PATIENCE:g} s"
        advice = f"kubectl describe pod -n {meta['namespace']} {meta['name']}"
        return None, [Finding("UNSEEN", what, value, advice)]
    except (ApiError, ManifestError) as error:
        advice = "it needs patch of pods/ephemeralcontainers and get of pods/log; or --no-container"
        return None, [Finding("UNSEEN", what, str(error), advice)]


async def _look(api: Client, pod: Object, image: str) -> Object:
    meta = pod["metadata"]
    name = f"spidercoordinator-explain-{token_hex(3)}"
    try:
        await _add(api, pod, _container(name, image, reads_nftables=True))
    except ApiForbiddenError:
        # Pod Security's level baseline allows no capability, and so do other policies.
        await _add(api, pod, _container(name, image, reads_nftables=False))
    while True:
        now = await api.get(PODS, meta["name"], meta["namespace"])
        statuses = (now.get("status") or {}).get("ephemeralContainerStatuses") or ()
        states = [each.get("state") or {} for each in statuses if each.get("name") == name]
        if states and (end := states[0].get("terminated")):
            break
        await asyncio.sleep(_LOOK)
    if end.get("exitCode"):
        raise ManifestError(f"the container {name} failed: {end.get('message') or end}")
    return await api.log_object(meta["name"], meta["namespace"], name)


async def _add(api: Client, pod: Object, container: Object) -> None:
    there = (pod.get("spec") or {}).get("ephemeralContainers") or []
    patch = {"spec": {"ephemeralContainers": [*there, container]}}
    meta = pod["metadata"]
    await api.patch(
        PODS, meta["name"], meta["namespace"], patch=patch, subresource="ephemeralcontainers"
    )


def _container(name: str, image: str, *, reads_nftables: bool) -> Object:
    """The container; a capability is of use to root only."""
    rights: dict[str, Any] = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"drop": ["ALL"]},
        "runAsUser": _NOBODY,
        "runAsNonRoot": True,
    }
    if reads_nftables:
        capabilities = {"drop": ["ALL"], "add": ["NET_ADMIN"]}
        rights |= {"runAsUser": 0, "runAsNonRoot": False, "capabilities": capabilities}
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/coordinator-install", "explain"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": rights,
    }
