"""Settings of other networks that are known to get between a node and its underlay pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.yamltext import parse
from spidercoordinator.core.checks.diagnosis import Finding

_LIBERAL_SINCE: Final = (1, 29)
"""The release whose kube-proxy has conntrack.tcpBeLiberal."""


@dataclass(frozen=True, slots=True)
class ClusterComponents:
    """Other components of the cluster; None where there is none.

    Attributes:
        cilium: ConfigMap cilium-config.
        felix: Calico's FelixConfiguration default.
        kube_proxy: ConfigMap kube-proxy, as kubeadm makes it.
        kube_router_firewall: whether kube-router enforces NetworkPolicies.
        spiderpool: whether Spiderpool's agent is installed.
        version: the API server's, such as v1.34.4.
    """

    cilium: Object | None = None
    felix: Object | None = None
    kube_proxy: Object | None = None
    kube_router_firewall: bool = False
    spiderpool: bool = False
    version: str = ""


def known_conflicts(components: ClusterComponents) -> Iterator[Finding]:
    """Yield a finding for each combination that is known to break traffic."""
    if components.cilium is not None:
        yield from _cilium(components.cilium.get("data") or {})
    if components.felix is not None and (components.felix.get("spec") or {}).get("bpfEnabled"):
        yield Finding(
            "WARNING",
            "FelixConfiguration default",
            "bpfEnabled is true, services are translated in Calico's own interfaces",
            "underlay pods reach no ClusterIP so: set it to false and run kube-proxy",
        )
    if components.kube_proxy is not None:
        yield from _kube_proxy(components.kube_proxy.get("data") or {}, components.version)
    if components.kube_router_firewall:
        yield Finding(
            "WARNING",
            "DaemonSet kube-system/kube-router",
            "its firewall drops what conntrack calls INVALID, also with tcp_be_liberal",
            "TCP from underlay pods to overlay pods of other nodes by their addresses fails; "
            "use a Service with a ClusterIP, or --run-firewall=false, which ends NetworkPolicies",
        )
    if components.spiderpool:
        yield Finding(
            "NOTE",
            "DaemonSet spiderpool-agent",
            "Spiderpool has a plugin and kinds of the same names",
            "only one of both may have its coordinator: see docs/coordinator.md, the installer",
        )


def _cilium(data: Object) -> Iterator[Finding]:
    replaced = str(data.get("kube-proxy-replacement", "false"))
    if replaced in ("true", "strict") and data.get("enable-host-legacy-routing") != "true":
        yield Finding(
            "WARNING",
            "ConfigMap cilium-config",
            f"kube-proxy-replacement is {replaced} without enable-host-legacy-routing",
            "Cilium may drop what goes from a node to underlay pods: set bpf.hostLegacyRouting",
        )


def _kube_proxy(data: Object, version: str) -> Iterator[Finding]:
    try:
        config = parse(str(data.get("config.conf", "")))
    except ValueError as error:
        yield Finding(
            "UNSEEN",
            "ConfigMap kube-system/kube-proxy",
            f"config.conf is no YAML: {error}",
            "mend it; kube-proxy does not start with it either",
        )
        return
    if not isinstance(config, dict) or (config.get("mode") or "iptables") != "iptables":
        return
    conntrack = config.get("conntrack")
    if isinstance(conntrack, dict) and conntrack.get("tcpBeLiberal"):
        return
    matched = re.match(r"v?(\d+)\.(\d+)", version)
    known = matched is None or (int(matched[1]), int(matched[2])) >= _LIBERAL_SINCE
    setting = "conntrack.tcpBeLiberal: true there" if known else "nf_conntrack_tcp_be_liberal to 1"
    yield Finding(
        "WARNING",
        "ConfigMap kube-system/kube-proxy",
        "mode iptables without conntrack.tcpBeLiberal",
        "if TCP between underlay pods and overlay pods of other nodes is reset, set "
        f"{setting}{'' if known else ' on the nodes'}",
    )
