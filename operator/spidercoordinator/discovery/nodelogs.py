"""Follows what nodes report: watches the installer's pods, and reads the ends of their logs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from spidercoordinator.core.nodes.findings import FRESH
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.report import NodeReport
from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.nodereports import (
    RESIDENT,
    InstallerPod,
    installer_pods,
    last_report,
)
from spidercoordinator.discovery.source import Observation
from spidercoordinator.errors import ApiError, ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.podlog import read_log
from spidercoordinator.kube.reflector import Reflector
from spidercoordinator.runtime.settings import Settings

logger = logging.getLogger(__name__)

_LINES: Final = 100
"""Of a log: others than reports are rare, and a report is repeated every half an hour."""
_AT_ONCE: Final = 16
"""Logs that are read at the same time; a node that is gone keeps one waiting for some seconds."""
_ROUND: Final = 5.0
"""Seconds from one reading of all logs to the next."""
_LONGEST_ROUND: Final = 180.0
"""Seconds that many logs are spread over. An installer looks every minute, so that a change is
known within five."""
_LOGS_PER_SECOND: Final = 10.0
_REPEATED_WITHIN: Final = 3900.0
"""Seconds after which a report that was not repeated is of a process that does not look any more:
two repetitions, and a little for clocks."""
_STARTS_WITHIN: Final = 30.0
"""Seconds after which an installer that was seen and told nothing is not waited for."""
_REBUILD_AFTER: Final = 30.0
"""Seconds after which it is looked whether a report is not fresh any more."""


@dataclass(frozen=True, slots=True)
class _Told:
    report: NodeReport
    at: float  # monotonic: when it held last


class NodeReports:
    """What the nodes have, as far as it is known.

    Attributes:
        observation: the installer's pods.
    """

    @classmethod
    def followed(cls, client: Client, settings: Settings, crashes: CrashHandler) -> Self | None:
        """Those of the installer's pods; None where the settings do not say which these are."""
        if not settings.installer_pods:
            return None
        return cls(client, settings.namespace, settings.installer_pods, crashes)

    def __init__(self, client: Client, namespace: str, labels: str, crashes: CrashHandler) -> None:
        self._client, self._namespace, self._crashes = client, namespace, crashes
        self._watched = installer_pods(namespace, labels)
        self.observation = Observation()
        self._read: dict[str, _Told] = {}
        self._seen: dict[str, float] = {}
        self._synced_at: float | None = None
        self._fleets: dict[float, tuple[Fleet, float]] = {}
        self._unreadable = ""
        self._cut_off = False
        self._read_once = False

    async def watch(self) -> None:
        """Keep the pods up to date, without end."""
        watched = self._watched
        reflector = Reflector(self._client, watched.selection, watched.read, title=watched.title)
        async for event in reflector.list_and_watch():
            if update_observation(watched, self.observation, event, self._crashes):
                self._fleets.clear()
            if self.observation.synced and self._synced_at is None:
                self._synced_at = time.monotonic()

    async def read_logs(self) -> None:
        """Read the logs of all running pods, again and again."""
        while True:
            began = time.monotonic()
            synced = self.observation.synced
            pods = [(name, pod) for name, pod in self._pods() if pod.runs]
            await self._read_all(pods)
            self._read_once |= synced
            rest = _ROUND - (time.monotonic() - began)
            await asyncio.sleep(max(rest, 1.0) if pods else 1.0)

    @property
    def settled(self) -> bool:
        """Whether every node told something, or had the time to; otherwise nothing is decided.

        That the API server was not reached for a while is nothing that nodes tell.
        """
        if self._synced_at is None or self._cut_off:
            return False
        if self._read_once and time.monotonic() - self._synced_at > _STARTS_WITHIN:
            return True
        told = self.fleet().reports
        return all(pod.node in told for _, pod in self._pods())

    def fleet(self, *, fresh: float = FRESH) -> Fleet:
        """The reports as they are now, the same object while nothing changes.

        Args:
            fresh: How old a report may be, in seconds.
        """
        now = time.monotonic()
        built = self._fleets.get(fresh)
        if built is None or now - built[1] > _REBUILD_AFTER:
            built = (self._build(now, fresh), now)
            self._fleets[fresh] = built
        return built[0]

    def _build(self, now: float, fresh: float) -> Fleet:
        told = self._told(now)
        current = {node: each for node, each in told.items() if now - each.at <= fresh}
        nodes = {pod.node for _, pod in self._pods()}
        self._seen = {node: self._seen.get(node, now) for node in nodes}
        # One that is just starting will tell soon.
        silent = {
            node for node in nodes - current.keys() if now - self._seen[node] > _STARTS_WITHIN
        }
        reports = {node: each.report for node, each in current.items()}
        age = max((now - each.at for each in current.values()), default=0.0)
        return Fleet(reports, frozenset(silent), age)

    def _told(self, now: float) -> dict[str, _Told]:
        """By node: what was read of a log, or at the start of a pod if that is newer."""
        nodes, wall = {pod.node for _, pod in self._pods()}, time.time()
        # A pod that is replaced leaves what it told for as long as that is fresh.
        self._read = {
            node: each
            for node, each in self._read.items()
            if node in nodes or now - each.at <= FRESH
        }
        told = dict(self._read)
        for _, pod in self._pods():
            if pod.report is None:
                continue
            at = now - max(wall - pod.reported, 0.0)
            if pod.node not in told or told[pod.node].at < at:
                told[pod.node] = _Told(pod.report, at)
        return told

    def _pods(self) -> Iterable[tuple[str, InstallerPod]]:
        return self.observation.entries.items()

    async def _read_all(self, pods: list[tuple[str, InstallerPod]]) -> None:
        """Spread over time, some at once; tells once when not all can be read."""
        apart = 1 / max(_LOGS_PER_SECOND, len(pods) / _LONGEST_ROUND)
        limit, errors = asyncio.Semaphore(_AT_ONCE), list[ApiError]()
        async with asyncio.TaskGroup() as tasks:
            for name, pod in pods:
                await limit.acquire()
                task = tasks.create_task(self._read_one(name, pod, errors))
                task.add_done_callback(lambda _: limit.release())
                await asyncio.sleep(apart)
        self._cut_off = bool(errors) and not any(each.status for each in errors)
        self._tell(errors, len(pods))

    async def _read_one(self, name: str, pod: InstallerPod, errors: list[ApiError]) -> None:
        namespace, _, pod_name = name.partition("/")
        asked = time.monotonic()
        try:
            text = await read_log(self._client, namespace, pod_name, RESIDENT, lines=_LINES)
        except ApiNotFoundError:
            return  # the pod is gone; the watch will tell
        except ApiError as error:
            errors.append(error)
            return
        found = last_report(text)
        if found is not None and time.time() - found[1] <= _REPEATED_WITHIN:
            before = self._read.get(pod.node)
            self._read[pod.node] = _Told(found[0], asked)
            if before is None or before.report is not found[0]:
                self._fleets.clear()

    def _tell(self, errors: list[ApiError], count: int) -> None:
        forbidden = [each for each in errors if isinstance(each, ApiForbiddenError)]
        kind = type((forbidden or errors)[0]).__name__ if errors else ""
        if kind and kind != self._unreadable:
            text = "what %d of %d nodes have is not known: %s"
            logger.warning(text, len(errors), count, (forbidden or errors)[0])
        elif self._unreadable and not errors:
            logger.info("what the nodes have can be read again")
        self._unreadable = kind
