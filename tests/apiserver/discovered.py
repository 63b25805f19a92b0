"""Waiting for the CIDRs in a status, and the usual source of them."""

from __future__ import annotations

from typing import Any

from tests.apiserver.harness import Cluster, eventually, kubeadm_config

SERVICE = "10.96.0.0/16"
"""What the API server of the tests serves."""


async def found(cluster: Cluster, pod: list[str], **also: Any) -> dict[str, Any]:
    """Wait until the status has these pod CIDRs, and whatever else is given."""
    last: dict[str, Any] = {}

    async def check() -> bool:
        last.clear()
        last.update(await cluster.status())
        return last.get("overlayPodCIDR") == pod and also.items() <= last.items()

    try:
        await eventually(f"{pod} {also}", check)
    except AssertionError as error:
        raise AssertionError(f"{error}; status: {last}") from error
    return last


async def kubeadm(cluster: Cluster, pod: str = "10.244.0.0/16") -> None:
    await cluster.config_map("kube-system", "kubeadm-config", kubeadm_config(pod, SERVICE))
