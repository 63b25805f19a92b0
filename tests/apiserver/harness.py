"""The operator as a real process against a real API server, and waiting for what it does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from spidercoordinator.api.objects import Object
from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)

COMMAND = Path(sys.executable).with_name("spidercoordinator")
_PORT = re.compile(r"port=(\d+)")


class Operator:
    """One operator process; its log is kept over restarts."""

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        environ: Mapping[str, str] | None = None,
        *options: str,
    ) -> None:
        self.log = log
        self._options = options
        self._environ = {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(kubeconfig),
            "SPIDERCOORDINATOR_HTTP_PORT": "0",
            "SPIDERCOORDINATOR_LOG_FORMAT": "text",
            # The API server has no Spiderpool, and most tests are not about addresses.
            "SPIDERCOORDINATOR_DEFAULT_IPAM": '{"type":"dhcp"}',
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def command(self) -> list[str]:
        return [str(COMMAND), "run", *self._options]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, env=self._environ, stderr=log)
        deadline = time.monotonic() + 60
        while not (found := _PORT.search(self.text()[began:])):
            assert self._process.poll() is None, self.text()[began:]
            assert time.monotonic() < deadline, self.text()[began:]
            time.sleep(0.02)
        self.port = int(found[1])

    def stop(self, how: signal.Signals = signal.SIGTERM, within: float = 20) -> int:
        """End it within so many seconds; gives its exit status."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            # It fails the test, but must not outlive it.
            process.kill()
            process.wait()
            raise

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it in its tracks, as a broken network would look to it."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of /livez, /readyz or /metrics."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=30
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """The value of a sample; of a name without labels, the sum over all of them."""
        return self.samples(name)[0]

    def samples(self, *names: str) -> list[float]:
        """What `metric` gives for each of the names, all at one moment."""
        page = self.get("/metrics")[1]
        samples = (rf"^{re.escape(name)}(?:(?<!\}})\{{.*\}})? (\S+)$" for name in names)
        return [sum(map(float, re.findall(each, page, re.MULTILINE))) for each in samples]

    def repairs(self) -> float:
        """What resyncs had to mend; anything but zero is a bug."""
        shown = self.get("/metrics")[1]
        found = re.findall(
            r"^spidercoordinator_resync_repairs_total\{.*\} (\S+)$", shown, re.MULTILINE
        )
        return sum(map(float, found))

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Resident memory in KiB."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", text)
        assert found is not None
        return int(found[1])


async def eventually(
    what: str, check: Callable[[], Awaitable[Any]], *, seconds: float = 60.0, every: float = 0.05
) -> Any:
    """Call `check` until it gives something true; what it gave last is in the failure.

    The time is for a busy machine: how fast something must be is asserted where it is promised.
    """
    deadline = time.monotonic() + seconds
    while True:
        last = await check()
        if last:
            return last
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last: {last!r}")
        await asyncio.sleep(every)


class Cluster:
    """What tests do with the objects of one API server."""

    def __init__(self, api: Client) -> None:
        self.api = api

    async def coordinator(self, spec: Object | None = None, name: str = "default") -> Object:
        """Create a SpiderCoordinator, or change its spec."""
        body = {"metadata": {"name": name}, "spec": spec or {"podCIDRType": "auto"}}
        if await self.api.find(SPIDERCOORDINATORS, name) is None:
            return await self.api.create(SPIDERCOORDINATORS, body)
        return await self.api.patch(SPIDERCOORDINATORS, name, patch={"spec": body["spec"]})

    async def coordinator_in_effect(self, spec: Object) -> None:
        """Create the SpiderCoordinator or change its spec; networks made later are rendered so."""
        generation = (await self.coordinator(spec))["metadata"]["generation"]

        async def observed() -> bool:
            return bool((await self.status()).get("observedGeneration") == generation)

        await eventually("the SpiderCoordinator was reconciled", observed)

    async def status(self, name: str = "default") -> Object:
        """The status of a SpiderCoordinator, empty when there is none."""
        thing = await self.api.find(SPIDERCOORDINATORS, name)
        return (thing or {}).get("status") or {}

    async def config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> Object:
        body = {"metadata": {"namespace": namespace, "name": name}, "data": dict(data)}
        return await self.api.apply(CONFIG_MAPS, body)

    async def network(self, name: str, spec: Object | None = None) -> Object:
        """Create a macvlan network in the namespace default."""
        body = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}} | (spec or {}),
        }
        return await self.api.create(SPIDERMULTUSCONFIGS, body, "default")

    async def section(self, name: str) -> Object:
        """The coordinator section of a network's NAD, empty when there is no NAD."""
        thing = await self.api.find(NETWORK_ATTACHMENT_DEFINITIONS, name, "default")
        if thing is None:
            return {}
        plugins = json.loads(thing["spec"]["config"]).get("plugins", ())
        return next((plugin for plugin in plugins if plugin["type"] == "coordinator"), {})

    async def clean(self) -> None:
        """Remove everything a test may have made."""
        for resource in (SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS, SPIDERCOORDINATORS):
            await self._remove_all(resource)
        for name in ("kubeadm-config", "cilium-config"):
            await self.api.delete(CONFIG_MAPS, name, "kube-system")
        # Events outlive what they are about; a later object of the same name is not meant by them.
        await self.api.delete(EVENTS, "", "default")

    async def _remove_all(self, resource: Resource) -> None:
        try:
            things, _ = await self.api.list(resource)
        except ApiNotFoundError:
            return
        for thing in things:
            meta = thing["metadata"]
            name, namespace = meta["name"], meta.get("namespace", "")
            await self.api.delete(resource, name, namespace)
            if meta.get("finalizers"):
                patch = {"metadata": {"finalizers": None}}
                with contextlib.suppress(ApiNotFoundError):
                    await self.api.patch(resource, name, namespace, patch=patch)


def kubeadm_config(pod: str, service: str) -> dict[str, str]:
    """The data of ConfigMap kubeadm-config as kubeadm writes it."""
    return {
        "ClusterConfiguration": (
            "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\n"
            "caCertificateValidityPeriod: 87600h\n"
            "certificatesDir: /etc/kubernetes/pki\nclusterName: kubernetes\n"
            "controlPlaneEndpoint: 10.0.0.10:6443\nkind: ClusterConfiguration\n"
            "kubernetesVersion: v1.34.4\nnetworking:\n  dnsDomain: cluster.local\n"
            f"  podSubnet: {pod}\n  serviceSubnet: {service}\nscheduler: {{}}\n"
        )
    }


def condition(status: Object, kind: str) -> Object:
    """One condition of a status, empty when it is not there."""
    return next((each for each in status.get("conditions", ()) if each["type"] == kind), {})
