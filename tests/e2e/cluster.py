"""A cluster under test, spoken to with kubectl and helm as a user does."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from testbed.demo.shell import Result, Shell

Object = dict[str, Any]
Found = TypeVar("Found")

COORDINATORS = "spidercoordinators.spiderpool.spidernet.io"
NETWORKS = "spidermultusconfigs.spiderpool.spidernet.io"
ATTACHMENTS = "network-attachment-definitions.k8s.cni.cncf.io"

_PAUSE = 0.1


def eventually(
    what: str,
    look: Callable[[], Found | None],
    seconds: float = 15,
    instead: Callable[[], str] = str,
) -> Found:
    """Return what `look` finds first; fail when time is over, and tell what is so instead."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not so after {seconds:.0f} s {instead()}".strip())
        time.sleep(_PAUSE)


@dataclass(frozen=True)
class Release:
    """The installed chart."""

    name: str
    namespace: str


@dataclass(frozen=True)
class Cluster:
    """What the tests do to a cluster; objects are plain dictionaries."""

    shell: Shell

    def get(self, kind: str, name: str, namespace: str = "default") -> Object | None:
        """Return an object, None when there is none of that name."""
        text = f"kubectl get {kind} {name} -n {namespace} --ignore-not-found -o json"
        output = self.shell.output(text)
        found: Object | None = json.loads(output) if output.strip() else None
        return found

    def items(self, kind: str, options: str = "") -> list[Object]:
        """Return all objects of a kind that `options` select."""
        found: list[Object] = json.loads(
            self.shell.output(f"kubectl get {kind} {options} -o json")
        )["items"]
        return found

    def apply(self, manifest: Object) -> None:
        """Create or change an object."""
        self.shell.output(f"kubectl apply -f - <<'END'\n{json.dumps(manifest)}\nEND")

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        """Delete an object and wait until it is gone."""
        self.shell.output(
            f"kubectl delete {kind} {name} -n {namespace} --ignore-not-found --wait --timeout=60s"
        )

    def patch(self, kind: str, name: str, body: Object, namespace: str = "default") -> Result:
        """Merge `body` into an object; the result tells whether the API server took it."""
        text = json.dumps(body)
        return self.shell.run(
            f"kubectl patch {kind} {name} -n {namespace} --type=merge -p '{text}'"
        )

    def set_address(self, address: str) -> None:
        """Set the cluster-wide vethLinkAddress."""
        result = self.patch(COORDINATORS, "default", {"spec": {"vethLinkAddress": address}})
        assert result.ok, result.output

    def execute(self, pod: str, command: str, namespace: str) -> Result:
        """Run a command in a pod."""
        return self.shell.run(f"kubectl exec {pod} -n {namespace} -- {command}")

    def config(self, network: str, namespace: str) -> str | None:
        """Return spec.config of a NetworkAttachmentDefinition, None when there is none."""
        found = self.get(ATTACHMENTS, network, namespace)
        return None if found is None else str(found["spec"]["config"])
