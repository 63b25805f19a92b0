"""Fields that a kind does not have: misspelt ones, and those of Spiderpool's releases.

The API server drops them before anything is stored or a webhook is asked, unless the client asked
for strict validation, as `kubectl apply` does. What a client wrote is then only seen where it was
kept: in a file, in kubectl's annotation of what it applied last, and in managedFields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from spidercoordinator.api.crd import KINDS, structural_schema
from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.objects import Object, mapping
from spidercoordinator.core.network.validation import Problem
from spidercoordinator.core.status.abridged import abridged

_PLACES: Final = 3
"""As many places of a misplaced field are named."""
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_COORDINATOR_FIELDS: Final = {
    "extraCIDR": "it is called hijackCIDR now",
    "tuneMode": "it is called mode now",
    "detectOptions": "the number and interval of probes are fixed; remove it",
    "enableVethLinkLocalAddress": "write vethLinkAddress: 169.254.100.1, or none",
    "overlayPodCIDR": "it is called podCIDR in a spec",
}
_POOLS: Final = "it is called ippools now, with the lists ipv4 and ipv6"
_MATCH_MASTER_SUBNET: Final = "it is a field of ippools: ippools.matchMasterSubnet"
_RDMA_BY_NAME: Final = "write rdmaResourceName, the device plugin's resource"

RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    COORDINATOR_KIND: {f"spec.{name}": hint for name, hint in _COORDINATOR_FIELDS.items()},
    NETWORK_KIND: {
        "spec.sriov.enableRdma": "it is called rdmaIsolation now",
        "spec.sriov.MaxTxRateMbps": "it is spelt maxTxRateMbps",
        "spec.sriov.MinTxRateMbps": "it is spelt minTxRateMbps",
        "spec.ibsriov.enableRdma": "it is called rdmaIsolation",
        "spec.ibsriov.ibKubernetesEnabled": "it is called enableIbKubernetes now",
        "spec.macvlan.enableRdma": _RDMA_BY_NAME,
        "spec.ipvlan.enableRdma": _RDMA_BY_NAME,
        **{
            f"spec.{network}.{field}": hint
            for network in ("macvlan", "ipvlan", "vlan", "sriov", "ibsriov", "ipoib", "ovs")
            for field, hint in (
                ("spiderpoolConfigPools", _POOLS),
                ("matchMasterSubnet", _MATCH_MASTER_SUBNET),
            )
        },
        "spec.macvlanConfig": "it is called macvlan",
        "spec.ipvlanConfig": "it is called ipvlan",
        "spec.sriovConfig": "it is called sriov",
        "spec.ibsriovConfig": "it is called ibsriov",
        "spec.ib-sriov": "it is called ibsriov",
        "spec.ovsConfig": "it is called ovs",
        "spec.coordinatorConfig": "it is called coordinator",
        **{f"spec.coordinator.{name}": hint for name, hint in _COORDINATOR_FIELDS.items()},
    },
}
"""Kind → path of a field of other releases, or of their documents → what took its place.

Compared were the types of Spiderpool v0.6 to v1.2 (pkg/k8s/apis) and its docs/reference.
"""


def unknown_fields(kind: str, spec: Any) -> Iterator[Problem]:
    """The fields of a spec that its kind does not have."""
    yield from _unknown(kind, spec, _spec_schema(kind), "spec")


def dropped_fields(kind: str, obj: Object) -> list[Problem]:
    """Fields that clients wrote and the API server dropped, as far as the object shows them."""
    present = {each.field for each in unknown_fields(kind, obj.get("spec"))}
    found: dict[str, Problem] = {}
    for spec in _written_specs(obj):
        for problem in unknown_fields(kind, spec):
            found.setdefault(problem.field, problem)
    return [problem for field, problem in found.items() if field not in present]


def _written_specs(obj: Object) -> Iterator[Any]:
    meta = mapping(obj.get("metadata"))
    text = mapping(meta.get("annotations")).get(LAST_APPLIED)
    if isinstance(text, str):
        try:
            applied = json.loads(text)
        except (ValueError, RecursionError):
            applied = None
        if isinstance(applied, Mapping):
            yield applied.get("spec")
    entries = meta.get("managedFields")
    for entry in map(mapping, entries if isinstance(entries, list) else ()):
        if not entry.get("subresource"):
            yield _field_tree(mapping(entry.get("fieldsV1")).get("f:spec"))


def _field_tree(fields: Any) -> Any:
    """fieldsV1 in the shape of the object, without its lists (KEP 555 names their items by key)."""
    if not isinstance(fields, Mapping):
        return None
    return {
        key.removeprefix("f:"): _field_tree(value)
        for key, value in fields.items()
        if str(key).startswith("f:")
    }


@cache
def _spec_schema(kind: str) -> Object:
    model = next(each.model for each in KINDS if each.name == kind)
    schema: Object = structural_schema(model)["properties"]["spec"]
    return schema


def _unknown(kind: str, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(kind, item, schema["items"], f"{path}[{index}]")
    known = schema.get("properties")
    if not isinstance(value, Mapping) or not known:
        return
    for key, item in value.items():
        if key in known:
            yield from _unknown(kind, item, known[key], f"{path}.{key}")
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            field = f"{path}.{key}"
            hint = RENAMED[kind].get(field) or _elsewhere(kind, str(key))
            yield Problem(field, _no_such_field(str(key), known, hint))


def _elsewhere(kind: str, key: str) -> str:
    """Where a field of this name belongs; empty where there is none."""
    places = list(dict.fromkeys(_parents(_spec_schema(kind), key, "spec")))
    return f"it belongs into {abridged(places, _PLACES)}" if places else ""


def _parents(schema: Mapping[str, Any], key: str, path: str) -> Iterator[str]:
    """The objects of a schema that have a field of this name, with their paths."""
    schema = schema.get("items", schema)
    properties = schema.get("properties") or {}
    if key in properties:
        yield path
    for name, part in properties.items():
        yield from _parents(part, key, f"{path}.{name}")


def _no_such_field(key: str, known: Iterable[str], hint: str) -> str:
    if hint:
        return f"there is no such field; {hint}"
    like = get_close_matches(key, known, n=1)
    meant = f"did you mean {like[0]}?" if like else f"allowed are {', '.join(sorted(known))}"
    return f"there is no such field; {meant}"
