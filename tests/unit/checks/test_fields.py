"""Fields of other releases: named with what took their place, wherever they are still seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.core.checks.admission import review_coordinator, review_network
from spidercoordinator.core.checks.fields import (
    LAST_APPLIED,
    RENAMED,
    dropped_fields,
    unknown_fields,
)

SRIOV = {"cniType": "sriov", "sriov": {"resourceName": "acme.io/vf"}}
OLD = {"cniType": "sriov", "sriov": {"resourceName": "acme.io/vf", "enableRdma": True}}
TOLD = "spec.sriov.enableRdma: there is no such field; it is called rdmaIsolation now"


def with_field(path: str) -> dict[str, Any]:
    """A spec that has nothing but this field."""
    spec: Any = 1
    for step in reversed(path.removeprefix("spec.").split(".")):
        spec = {step: spec}
    return dict(spec)


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in RENAMED.items() for path in paths]
)
def test_each_old_field_is_told_with_what_took_its_place(kind: str, path: str) -> None:
    [problem] = unknown_fields(kind, with_field(path))
    assert str(problem) == f"{path}: there is no such field; {RENAMED[kind][path]}"


def test_each_is_in_the_migration_guide() -> None:
    text = (Path(__file__).parents[3] / "docs" / "migration.md").read_text()
    names = {path.rpartition(".")[2] for paths in RENAMED.values() for path in paths}
    assert [each for each in sorted(names) if f"{each}`" not in text] == []


def applied(spec: Any) -> dict[str, Any]:
    text = (
        spec if isinstance(spec, str) else json.dumps({"kind": "SpiderMultusConfig", "spec": spec})
    )
    return {"annotations": {LAST_APPLIED: text}}


def managed(*steps: str, **entry: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for step in reversed(steps):
        fields = {f"f:{step}": fields, ".": {}}
    return {"managedFields": [{"manager": "spiderpool", "fieldsV1": fields, **entry}]}


@pytest.mark.parametrize(
    ("meta", "fields"),
    [
        (applied(OLD), ["spec.sriov.enableRdma"]),
        (managed("spec", "sriov", "enableRdma"), ["spec.sriov.enableRdma"]),
        (
            applied(OLD) | managed("spec", "ibsriov", "ibKubernetesEnabled"),
            ["spec.sriov.enableRdma", "spec.ibsriov.ibKubernetesEnabled"],
        ),
        (applied(OLD) | managed("spec", "sriov", "enableRdma"), ["spec.sriov.enableRdma"]),
        (applied(SRIOV), []),
        (managed("spec", "ipam", "anything"), []),
        (managed("spec", "sriov", "ippools", "ipv4"), []),
        (managed("status", "sriov", "enableRdma"), []),
        (managed("spec", "sriov", "enableRdma", subresource="status"), []),
        (applied("{"), []),
        (applied("[1]"), []),
        (applied("[" * 100_000), []),
        ({"managedFields": [{"fieldsV1": None}, {}]}, []),
        ({}, []),
    ],
)
def test_dropped_fields_are_seen_where_they_were_kept(
    meta: dict[str, Any], fields: list[str]
) -> None:
    found = dropped_fields("SpiderMultusConfig", {"metadata": meta, "spec": SRIOV})
    assert [each.field for each in found] == fields


def test_a_field_that_is_there_is_not_told_as_dropped() -> None:
    assert dropped_fields("SpiderMultusConfig", {"metadata": applied(OLD), "spec": OLD}) == []


def test_the_webhook_warns_of_them() -> None:
    network = {"metadata": {"name": "a", "namespace": "b", **applied(OLD)}, "spec": SRIOV}
    review = review_network(network, None, rivals=[], nad=None)
    assert review.warnings == (f"{TOLD}; the API server dropped it",)
    coordinator = {"metadata": applied({"extraCIDR": ["10.0.0.0/8"]}), "spec": {}}
    [warning] = review_coordinator(coordinator).warnings
    assert warning.startswith("spec.extraCIDR: there is no such field; it is called hijackCIDR now")
