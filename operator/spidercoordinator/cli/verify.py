"""`spidercoordinator verify`: a network and a pod of it, made and taken away; `helm test` runs it.

What is made belongs to the pod that this runs in, so that the garbage collector removes it where
this was killed before it could; and that pod, which helm keeps for its log, to the release's
ServiceAccount, which an uninstall deletes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import click

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.output import coloured, print_findings
from spidercoordinator.core.checks import verification
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.podreport import PodReport
from spidercoordinator.core.checks.verification import DONE, Trial, Verdict
from spidercoordinator.errors import ApiError, ApiUnavailableError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    PODS,
    SERVICE_ACCOUNTS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from spidercoordinator.runtime.settings import Settings

_LOOK: Final = 0.3
_CLEANING: Final = 20.0
"""Seconds for the end, which are the caller's to add."""
_OWN: Final = ((PODS, True), (SPIDERMULTUSCONFIGS, False))
"""What is made, and whether it has to be gone before the next is deleted: a pod needs its NAD."""


@dataclass(frozen=True, slots=True)
class Runner:
    """The pod that this runs in, and the account that outlives it.

    Attributes:
        name: of the pod; empty where it is none.
        uid: of the pod.
        account: name of its ServiceAccount; empty where the pod is to stay.
    """

    name: str = ""
    uid: str = ""
    account: str = ""

    @property
    def reference(self) -> Object:
        """An owner reference to the pod."""
        return _reference(PODS, self.name, self.uid) if self.name and self.uid else {}


class Verification:
    """The steps, one after the other, in the time that there is for all of them."""

    def __init__(self, api: Client, trial: Trial, coordinator: str, seconds: float) -> None:
        self._api = api
        self._trial = trial
        self._coordinator = coordinator
        self._deadline = asyncio.get_running_loop().time() + seconds

    async def run(self) -> list[Finding]:
        """What was found; nothing where all is well."""
        coordinator: Object = {}

        async def cluster() -> Verdict:
            found = await self._api.find(SPIDERCOORDINATORS, self._coordinator)
            coordinator.update(found or {})
            return verification.judge_coordinator(self._coordinator, found)

        async def multus() -> Verdict:
            served = await self._api.serves(NETWORK_ATTACHMENT_DEFINITIONS)
            return verification.judge_multus(served=served)

        for step in (cluster, multus, self._nothing_left):
            if amiss := await self._until(step):
                return [amiss]
        _passed(f"SpiderCoordinator {self._coordinator}: it knows the cluster")
        return await self._network(verification.effective_address(coordinator))

    async def _network(self, address: str) -> list[Finding]:
        trial = self._trial
        network = await self._api.create(SPIDERMULTUSCONFIGS, trial.network, trial.namespace)
        nad: Object = {}

        async def rendered() -> Verdict:
            now = await self._api.get(SPIDERMULTUSCONFIGS, trial.name, trial.namespace)
            found = await self._find(NETWORK_ATTACHMENT_DEFINITIONS)
            nad.update(found or {})
            return verification.judge_network({**network, **now}, found, address)

        if amiss := await self._until(rendered):
            return [amiss]
        told = f"vethLinkAddress {address}" if address else "no vethLinkAddress, as in effect"
        _passed(f"NetworkAttachmentDefinition {trial.namespace}/{trial.name}: made, with {told}")
        return await self._pod(nad)

    async def _pod(self, nad: Object) -> list[Finding]:
        trial = self._trial
        pod = await self._api.create(PODS, trial.attached_pod, trial.namespace)
        uid = pod["metadata"]["uid"]

        async def ended() -> Verdict:
            pod.update(await self._api.get(PODS, trial.name, trial.namespace))
            fields = f"involvedObject.uid={uid}"
            events, _ = await self._api.list(EVENTS, trial.namespace, fields=fields)
            return verification.judge_pod(pod, events)

        if amiss := await self._until(ended):
            return [amiss]
        container = pod["spec"]["containers"][0]["name"]
        text = await self._api.log_object(trial.name, trial.namespace, container)
        report = PodReport.read(text)
        if not verification.attached_by_multus(pod, report):
            return [verification.without_multus(pod)]
        lacking = verification.judge_report(nad, report)
        if not lacking:
            has, node = verification.addresses(report), pod["spec"].get("nodeName")
            _passed(f"Pod {trial.namespace}/{trial.name}: started on {node}, and has {has}")
        return lacking

    async def _nothing_left(self) -> Verdict:
        """Nothing of an earlier test that was cut off is there any more."""
        trial = self._trial
        for resource in (PODS, SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS):
            if await self._find(resource) is None:
                continue
            if resource is not NETWORK_ATTACHMENT_DEFINITIONS:
                await self._api.delete(resource, trial.name, trial.namespace)
            what = resource.describe(trial.namespace, trial.name)
            return Verdict(Finding("ERROR", what, "does not go, of an earlier test", "delete it"))
        return DONE

    async def clean(self) -> list[Finding]:
        """Take away what was made; what stays is told."""
        self._deadline = asyncio.get_running_loop().time() + _CLEANING
        left = []
        for resource, awaited in _OWN:
            try:
                await self._api.delete(resource, self._trial.name, self._trial.namespace)
                amiss = await self._until(partial(self._gone, resource)) if awaited else None
            except ApiError as error:
                what = resource.describe(self._trial.namespace, self._trial.name)
                amiss = Finding("WARNING", what, str(error), "delete it yourself")
            left += [amiss] if amiss else []
        return left

    async def _gone(self, resource: Resource) -> Verdict:
        if await self._find(resource) is None:
            return DONE
        what = resource.describe(self._trial.namespace, self._trial.name)
        return Verdict(Finding("WARNING", what, "is still being deleted", "see its node's kubelet"))

    async def _find(self, resource: Resource) -> Object | None:
        return await self._api.find(resource, self._trial.name, self._trial.namespace)

    async def _until(self, step: Callable[[], Awaitable[Verdict]]) -> Finding | None:
        """Look until the step is done, or will not be; gives what is amiss then."""
        while True:
            late = asyncio.get_running_loop().time() >= self._deadline
            try:
                verdict = await step()
            except ApiUnavailableError:
                if late:
                    raise
            else:
                if verdict.amiss is None or verdict.final or late:
                    return verdict.amiss
            await asyncio.sleep(_LOOK)


async def verify(settings: Settings, trial: Trial, runner: Runner, *, seconds: float) -> Exit:
    """Make what is tried, judge it and take it away; returns the exit status.

    Args:
        settings: of the operator: the name of the effective SpiderCoordinator.
        trial: what is tried.
        runner: the pod that this runs in.
        seconds: within which all steps have to be done; the end may take some more.

    Raises:
        LoginError: there is no way to an API server.
        ApiError: it does not answer, or refuses what a user may do.
    """
    async with Client(await Login.find()) as api:
        trial = replace(trial, owner=runner.reference)
        unowned = await _belong(api, trial.namespace, runner)
        steps = Verification(api, trial, settings.name, seconds)
        try:
            findings = await steps.run()
        finally:
            for each in await steps.clean():
                click.echo(coloured(each.line, each.level))
    return print_findings([*findings, *unowned], "verify")


async def _belong(api: Client, namespace: str, runner: Runner) -> list[Finding]:
    """Make the pod that this runs in its account's, to go with the release."""
    if not (runner.reference and runner.account):
        return []
    try:
        account = await api.get(SERVICE_ACCOUNTS, runner.account, namespace)
        owner = _reference(SERVICE_ACCOUNTS, runner.account, account["metadata"]["uid"])
        patch = {"metadata": {"ownerReferences": [owner]}}
        await api.patch(PODS, runner.name, namespace, patch=patch)
    except ApiError as error:
        value = f"stays at an uninstall: {error}"
        return [Finding("WARNING", f"Pod {namespace}/{runner.name}", value, "delete it yourself")]
    return []


def _reference(resource: Resource, name: str, uid: str) -> Object:
    """An owner reference that holds nobody up, and so needs no right on finalizers."""
    meta = {"apiVersion": resource.api_version, "kind": resource.kind, "name": name, "uid": uid}
    return {**meta, "controller": False, "blockOwnerDeletion": False}


def _passed(text: str) -> None:
    click.echo(f"{'OK':<8} {text}")
