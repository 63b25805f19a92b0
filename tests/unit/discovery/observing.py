"""Observations made of whole objects, on the way that the informers make them."""

from __future__ import annotations

import json
from typing import Any

from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.source import Observation, Source, WatchedObjects
from spidercoordinator.errors import ApiForbiddenError
from spidercoordinator.kube.parts import list_loads
from spidercoordinator.kube.reflector import NotServed, Replaced, WatchFailed

NOT_SERVED = object()
FORBIDDEN = object()

Found = dict[WatchedObjects, Any]
"""What there is of watched objects: a list of them, NOT_SERVED, or FORBIDDEN."""


def observe(source: Source, found: Found | None = None) -> dict[str, Observation]:
    """What a source's informers hold when that is found, and nothing else."""
    observations = {}
    for watched in source.watched:
        given = (found or {}).get(watched, [])
        observation = observations[watched.title] = Observation()
        if given is NOT_SERVED:
            update_observation(watched, observation, NotServed())
        elif given is FORBIDDEN:
            update_observation(
                watched, observation, WatchFailed(ApiForbiddenError("no", status=403))
            )
        else:
            read = [watched.read(each) for each in listed(watched, given)]
            update_observation(watched, observation, Replaced(read))
    return observations


def listed(watched: WatchedObjects, objects: list[Any]) -> list[Any]:
    """Objects as they are in a list of the API server, of which only some parts are parsed."""
    answer = list_loads(watched.selection.parts)(json.dumps({"items": objects}).encode())
    items: list[Any] = answer["items"]
    return items


def config_map(namespace: str, name: str, data: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "data": data}


def node(name: str, *cidrs: str, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    labels = {"node-role.kubernetes.io/control-plane": "true"} if annotations else {}
    meta = {"name": name, "labels": labels, "annotations": annotations or {}}
    spec = {"podCIDR": cidrs[0], "podCIDRs": list(cidrs)} if cidrs else {}
    return {"metadata": meta, "spec": spec, "status": {"conditions": []}}


def daemon_set(namespace: str, name: str, *args: str, ready: int = 1) -> dict[str, Any]:
    container = {"name": name, "image": "example.org/agent:1", "args": list(args)}
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 1, "desiredNumberScheduled": 1, "numberReady": ready},
    }


def custom(name: str, spec: dict[str, Any], *, namespace: str = "", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": meta | ({"namespace": namespace} if namespace else {}), "spec": spec} | more


def service_cidr(*cidrs: str) -> list[dict[str, Any]]:
    return [custom("kubernetes", {"cidrs": list(cidrs)})]


def kubeadm(pod: str, service: str) -> dict[str, Any]:
    text = f"networking:\n  dnsDomain: x\n  podSubnet: {pod}\n  serviceSubnet: {service}\n"
    return config_map("kube-system", "kubeadm-config", {"ClusterConfiguration": text})


def cilium(**data: str) -> dict[str, Any]:
    dashed = {key.replace("_", "-"): value for key, value in data.items()}
    return config_map("kube-system", "cilium-config", dashed)


def server(product: str, *args: str, cidr: str) -> dict[str, Any]:
    annotation = {f"{product}.io/node-args": json.dumps(["server", *args])}
    return node("server", cidr, annotations=annotation)
