"""The CRDs of both kinds, made from the models.

pydantic describes models in JSON schema 2020-12; a CRD takes the structural subset of OpenAPI 3.0:
no $ref, no null type, no const, a format on integers.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spidercoordinator.api.base import Model
from spidercoordinator.api.coordinator import SpiderCoordinator
from spidercoordinator.api.kinds import (
    API_VERSION,
    COORDINATOR_KIND,
    COORDINATOR_PLURAL,
    GROUP,
    NETWORK_KIND,
    NETWORK_PLURAL,
    VERSION,
)
from spidercoordinator.api.multus import SpiderMultusConfig, SpiderMultusConfigSpec
from spidercoordinator.api.objects import Object

CATEGORY = "spiderpool"

_DROPPED = frozenset({"title", "$defs", "additionalProperties"})


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False
    """Whether it is shown by `-o wide` only."""

    def manifest(self) -> Object:
        """The column as the CRD writes it."""
        column: Object = {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
        }
        return column | ({"priority": 1} if self.wide else {})


AGE = Column("Age", ".metadata.creationTimestamp", "Time since the object was created.", "date")


def _wide(name: str, path: str, description: str) -> Column:
    return Column(name, path, description, wide=True)


@dataclass(frozen=True)
class Kind:
    """One kind: its names, its model, and how kubectl shows it.

    `default_spec` holds what the rules of spec read without asking whether it is there: the API
    server checks defaults before it fills in those of inner fields.
    """

    name: str
    plural: str
    model: type[Model]
    short: tuple[str, ...]
    scope: str
    columns: tuple[Column, ...]
    default_spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def crd_name(self) -> str:
        """The name of its CRD object."""
        return f"{self.plural}.{GROUP}"


SPIDER_COORDINATOR = Kind(
    name=COORDINATOR_KIND,
    plural=COORDINATOR_PLURAL,
    model=SpiderCoordinator,
    # OpenShift has SecurityContextConstraints as scc, and kubectl takes the first that it finds.
    short=("scc", "spco"),
    scope="Cluster",
    columns=(
        Column("Phase", ".status.phase", "Synced, or NotReady (see status.reason)."),
        Column("Mode", ".spec.mode", "How the plugin serves a pod."),
        Column("Pod CIDR type", ".status.podCIDRType", "Where the pod CIDRs come from."),
        Column("Veth link address", ".spec.vethLinkAddress", "Address of veth0 in pods."),
        Column("In sync", ".status.networks.summary", "Networks in sync with these settings."),
        AGE,
        _wide("Pod CIDRs", ".status.overlayPodCIDR", "The pod CIDRs in use."),
        _wide("Pod source", ".status.sources.overlayPodCIDR", "Where the pod CIDRs come from."),
        _wide("Service CIDRs", ".status.serviceCIDR", "The service CIDRs in use."),
        _wide("Service source", ".status.sources.serviceCIDR", "Where those come from."),
        _wide("Why not ready", ".status.reason", "Why the phase is NotReady."),
    ),
)
SPIDER_MULTUS_CONFIG = Kind(
    name=NETWORK_KIND,
    plural=NETWORK_PLURAL,
    model=SpiderMultusConfig,
    short=("smc",),
    scope="Namespaced",
    columns=(
        Column("CNI type", ".spec.cniType", "The main CNI plugin."),
        Column("NAD", ".status.nad", "The NetworkAttachmentDefinition made from this."),
        Column(
            "Ready",
            '.status.conditions[?(@.type=="Ready")].status',
            "Whether that object is in sync.",
        ),
        Column(
            "Reason",
            '.status.conditions[?(@.type=="Ready")].reason',
            "InSync, or what keeps it from being ready.",
        ),
        AGE,
        _wide(
            "Why not ready",
            '.status.conditions[?(@.type=="Ready")].message',
            "What keeps it from being ready, and what can be done.",
        ),
        _wide(
            "Degraded",
            '.status.conditions[?(@.type=="Degraded")].reason',
            "What may not work although it is ready.",
        ),
        _wide("Config hash", ".status.configHash", "Changes with the NAD's configuration."),
    ),
    default_spec={"cniType": SpiderMultusConfigSpec().cni_type},
)
KINDS = (SPIDER_COORDINATOR, SPIDER_MULTUS_CONFIG)


def structural_schema(model: type[Model]) -> Object:
    """The model's schema in the form a CRD takes."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Object:
    schema = resolve(schema, definitions)
    result = {key: value for key, value in schema.items() if key not in _DROPPED}
    if "properties" in schema:
        result["properties"] = {
            name: _structural(part, definitions) for name, part in schema["properties"].items()
        }
    if "items" in schema:
        result["items"] = _structural(schema["items"], definitions)
    if result.get("type") == "integer":
        result.setdefault("format", "int64")
    return result


def resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Object:
    """Follow $ref, and unite `X or null`; what the field says wins over what its type says."""
    own = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
    if own.get("default", ...) is None:
        del own["default"]
    if "$ref" in schema:
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return {**resolve(target, definitions), **own}
    options = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if options:
        [only] = options
        return {**resolve(only, definitions), **own}
    return own


def crd(kind: Kind) -> Object:
    """The CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": GROUP,
            "scope": kind.scope,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": list(kind.short),
                "categories": [CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> Object:
    schema = structural_schema(kind.model)
    spec, status = (schema["properties"][part] for part in ("spec", "status"))
    status.pop("default", None)
    properties = {
        "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
        "kind": {"type": "string", "description": f"Always {kind.name}."},
        "metadata": {"type": "object"},
        "spec": {**spec, "default": dict(kind.default_spec)},
        "status": status,
    }
    whole = {"type": "object", "description": schema["description"], "properties": properties}
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.manifest() for column in kind.columns],
        "schema": {"openAPIV3Schema": whole},
    }
