"""What refuses the operator's writes on a real API server: policies, webhooks, quotas, roles."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spidercoordinator.errors import ApiError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import NETWORK_ATTACHMENT_DEFINITIONS, Resource
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import eventually

_ADMISSION = "admissionregistration.k8s.io"
POLICIES = Resource(_ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
BINDINGS = Resource(
    _ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
)
WEBHOOKS = Resource(
    _ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"
)
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", namespaced=True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole")

SPACE = "operated"
"""The namespace of the operator's service account."""
_USER = f"system:serviceaccount:{SPACE}:operator"
_ROLE = "operated"
SAYS = "not on a Friday"
"""What the policy says."""


def operator_kubeconfig(server: ApiServer, folder: Path) -> Path:
    """A kubeconfig of a service account that may do anything, unless told otherwise."""
    admin = server.kubeconfig
    kubectl(admin, "create", "namespace", SPACE)
    kubectl(admin, "create", "serviceaccount", "operator", f"--namespace={SPACE}")
    kubectl(admin, "create", "clusterrole", _ROLE, "--verb=*", "--resource=*.*")
    account = f"--serviceaccount={SPACE}:operator"
    kubectl(admin, "create", "clusterrolebinding", _ROLE, f"--clusterrole={_ROLE}", account)
    token = kubectl(admin, "create", "token", "operator", f"--namespace={SPACE}")
    config = yaml.safe_load(admin.read_text())
    config["users"][0]["user"] = {"token": token.strip()}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


@dataclass
class Obstacles:
    """Puts something in the operator's way, and takes it away."""

    api: Client

    @contextlib.asynccontextmanager
    async def policy(
        self, of: Resource, subresource: str = "", *, reason: str = "", verb: str = ""
    ) -> AsyncIterator[None]:
        """A policy that refuses the operator's writes of one kind or subresource, or one verb."""
        wanted = [
            f"request.userInfo.username == '{_USER}'",
            f"request.resource.resource == '{of.plural}'",
            f"(has(request.subResource) ? request.subResource : '') == '{subresource}'",
            *([f"request.operation == '{verb}'"] if verb else []),
        ]
        probe = "has(request.name) && request.name == 'probe'"
        condition = f"({' && '.join(wanted)}) || ({probe})"
        rules = [
            {
                "apiGroups": [kind.group],
                "apiVersions": ["*"],
                "operations": ["*"],
                "resources": [kind.plural, f"{kind.plural}/*"],
            }
            for kind in (of, NETWORK_ATTACHMENT_DEFINITIONS)
        ]
        validation = {"expression": "false", "message": SAYS}
        spec = {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [{"name": "whose", "expression": condition}],
            "validations": [validation | ({"reason": reason} if reason else {})],
        }
        await self.api.apply(POLICIES, {"metadata": {"name": "refusing"}, "spec": spec})
        bound = {"policyName": "refusing", "validationActions": ["Deny"]}
        await self.api.apply(BINDINGS, {"metadata": {"name": "refusing"}, "spec": bound})
        try:
            await self._in_force(yes=True)
            yield
        finally:
            await self.api.delete(BINDINGS, "refusing")
            await self.api.delete(POLICIES, "refusing")
            await self._in_force(yes=False)

    @contextlib.asynccontextmanager
    async def webhook(self) -> AsyncIterator[None]:
        """A webhook that must answer of NADs, and does not: nobody listens there."""
        hook: dict[str, Any] = {
            "name": "broken.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
            "clientConfig": {"url": "https://127.0.0.1:1/"},
            "rules": [
                {
                    "apiGroups": [NETWORK_ATTACHMENT_DEFINITIONS.group],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": [NETWORK_ATTACHMENT_DEFINITIONS.plural],
                }
            ],
        }
        await self.api.apply(WEBHOOKS, {"metadata": {"name": "broken"}, "webhooks": [hook]})
        try:
            await self._in_force(yes=True)
            yield
        finally:
            await self.api.delete(WEBHOOKS, "broken")
            await self._in_force(yes=False)

    @contextlib.asynccontextmanager
    async def quota(self) -> AsyncIterator[None]:
        """A quota of no NADs at all in namespace default."""
        hard = {f"count/{NETWORK_ATTACHMENT_DEFINITIONS.full_name}": "0"}
        body = {"metadata": {"name": "none", "namespace": "default"}, "spec": {"hard": hard}}
        await self.api.apply(QUOTAS, body)
        try:
            await self._in_force(yes=True)
            yield
        finally:
            await self.api.delete(QUOTAS, "none", "default")
            await self._in_force(yes=False)

    @contextlib.asynccontextmanager
    async def role_without(self, of: Resource) -> AsyncIterator[None]:
        """The operator may write all but one kind."""
        before = (await self.api.get(ROLES, _ROLE))["rules"]
        groups = {
            "": ["events", "configmaps"],
            "spiderpool.spidernet.io": ["*"],
            "k8s.cni.cncf.io": ["*"],
        }
        if of.plural in groups.get(of.group, ()):
            groups[of.group] = [each for each in groups[of.group] if each != of.plural]
        else:
            del groups[of.group]
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
        rules += [
            {"apiGroups": [group], "resources": resources, "verbs": ["*"]}
            for group, resources in groups.items()
        ]
        await self.api.patch(ROLES, _ROLE, patch={"rules": rules})
        try:
            await self._may(of, yes=False)
            yield
        finally:
            await self.api.patch(ROLES, _ROLE, patch={"rules": before})

    async def _may(self, of: Resource, *, yes: bool) -> None:
        review = Resource(
            "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview"
        )
        attributes = {
            "group": of.group,
            "resource": of.plural,
            "verb": "patch",
            "namespace": "default",
        }

        async def so() -> bool:
            body = {"metadata": {}, "spec": {"user": _USER, "resourceAttributes": attributes}}
            answer = await self.api.create(review, body)
            return bool(answer["status"]["allowed"]) == yes

        await eventually("the role is as changed", so)

    async def _in_force(self, *, yes: bool) -> None:
        """Wait until the API server goes by what was changed, which is a moment later."""
        meta = {"name": "probe", "namespace": "default"}

        async def so() -> bool:
            try:
                await self.api.create(
                    NETWORK_ATTACHMENT_DEFINITIONS, {"metadata": meta}, "default", dry_run=True
                )
            except ApiError:
                return yes
            return not yes

        await eventually(f"the API server refuses: {yes}", so)
