"""The CRDs: only keywords the API server knows, everything described, the agreed defaults."""

from collections.abc import Iterator
from typing import Any

import pytest

from spidercoordinator.api.crd import KINDS, SPIDER_COORDINATOR, SPIDER_MULTUS_CONFIG, Kind, crd

# Of OpenAPI 3.0 as apiextensions.k8s.io/v1 takes it, those we use.
KEYWORDS = {
    *{"type", "format", "description", "default", "enum", "properties", "items", "required"},
    *{"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"},
    *{"x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"},
    "x-kubernetes-preserve-unknown-fields",
}


def version(kind: Kind) -> dict[str, Any]:
    [only] = crd(kind)["spec"]["versions"]
    assert isinstance(only, dict)
    return only


def schemas(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from schemas(part, f"{path}.{name}")
    if "items" in schema:
        yield from schemas(schema["items"], f"{path}[]")


def all_schemas() -> list[tuple[str, dict[str, Any]]]:
    return [
        each
        for kind in KINDS
        for each in schemas(version(kind)["schema"]["openAPIV3Schema"], kind.name)
    ]


@pytest.mark.parametrize(("path", "schema"), all_schemas(), ids=lambda it: str(it)[:60])
def test_schema_is_structural(path: str, schema: dict[str, Any]) -> None:
    assert set(schema) <= KEYWORDS
    assert schema["type"] in {"object", "array", "string", "integer", "boolean"}
    if schema["type"] == "integer":
        assert schema["format"] in {"int32", "int64"}
    if schema["type"] == "array" and ".status" not in path:
        assert "maxItems" in schema


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_is_described(kind: Kind) -> None:
    schema = version(kind)["schema"]["openAPIV3Schema"]
    silent = [
        path
        for path, part in schemas(schema, kind.name)
        if not part.get("description") and not path.endswith(("[]", ".metadata"))
    ]
    assert silent == []


def defaults(kind: Kind, path: str) -> dict[str, Any]:
    schema = version(kind)["schema"]["openAPIV3Schema"]
    for step in path.split("."):
        schema = schema["properties"][step]
    return {k: v["default"] for k, v in schema["properties"].items() if "default" in v}


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (
            SPIDER_COORDINATOR,
            "spec",
            {
                "mode": "auto",
                "podCIDRType": "auto",
                "tunePodRoutes": True,
                "hostRuleTable": 500,
                "podRPFilter": 0,
                "txQueueLen": 0,
                "detectGateway": False,
                "detectIPConflict": False,
                "announce": True,
            },
        ),
        (SPIDER_MULTUS_CONFIG, "spec.coordinator", {}),
        (
            SPIDER_MULTUS_CONFIG,
            "spec",
            {"cniType": "custom", "enableCoordinator": True, "disableIPAM": False},
        ),
        (SPIDER_MULTUS_CONFIG, "spec.vlan", {"vlanMode": "manual"}),
        (SPIDER_MULTUS_CONFIG, "spec.sriov", {"rdmaIsolation": False}),
        (
            SPIDER_MULTUS_CONFIG,
            "spec.ibsriov",
            {"linkState": "enable", "rdmaIsolation": True, "enableIbKubernetes": False},
        ),
        (SPIDER_MULTUS_CONFIG, "spec.sriov.ippools", {"matchMasterSubnet": False}),
    ],
)
def test_defaults(kind: Kind, path: str, expected: dict[str, Any]) -> None:
    assert defaults(kind, path) == expected


@pytest.mark.parametrize(
    ("kind", "short", "scope", "columns"),
    [
        (
            SPIDER_COORDINATOR,
            ["scc", "spco"],
            "Cluster",
            ["Phase", "Mode", "Pod CIDR type", "Veth link address", "In sync", "Age"],
        ),
        (
            SPIDER_MULTUS_CONFIG,
            ["smc"],
            "Namespaced",
            ["CNI type", "NAD", "Ready", "Reason", "Age"],
        ),
    ],
)
def test_how_kubectl_shows_it(kind: Kind, short: list[str], scope: str, columns: list[str]) -> None:
    spec = crd(kind)["spec"]
    assert (spec["names"]["shortNames"], spec["names"]["categories"]) == (short, ["spiderpool"])
    assert spec["scope"] == scope
    shown = version(kind)["additionalPrinterColumns"]
    assert [column["name"] for column in shown if not column.get("priority")] == columns
    assert version(kind)["subresources"] == {"status": {}}
