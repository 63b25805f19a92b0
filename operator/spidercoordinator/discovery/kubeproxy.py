"""kube-proxy: `clusterCIDR` of its configuration, or `--cluster-cidr` of its DaemonSet or pods.

kubeadm and k0s write ConfigMap kube-system/kube-proxy; AKS and Talos set the flag in the DaemonSet,
GKE and RKE2 in static pods. kube-proxy only tells by it what is local, and is given other ranges,
too, such as that of a virtual network. So it counts where nodes have their podCIDRs, or Azure its
overlay, from it. Of a pair of both families, one that counts vouches for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.backing import holding, left_over
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import azure, nodes
from spidercoordinator.discovery.flags import command_words, last, occurrences, template_words
from spidercoordinator.discovery.shapes import parse_yaml, section, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS, DAEMON_SETS, PODS

_KEY: Final = "config.conf"


@dataclass(frozen=True, slots=True)
class _Config:
    pod: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        """Whether it names a range, for the metric."""
        return bool(self.pod)


def read_config(obj: Object) -> _Config:
    """`clusterCIDR` of the KubeProxyConfiguration."""
    try:
        pod = split(parse_yaml(text(obj, "data", _KEY)).get("clusterCIDR"))
    except ValueError as error:
        return _Config(problem=f"{_KEY} {error}")
    return _Config(pod, "" if pod else f"{_KEY} has no clusterCIDR")


def read_daemon_set(obj: Object) -> tuple[str, ...] | None:
    """`--cluster-cidr` of the DaemonSet's pods, None for none."""
    return _read_words(template_words(obj))


def read_pod(obj: Object) -> tuple[str, ...] | None:
    """`--cluster-cidr` of a pod, None for none."""
    return _read_words(command_words(section(obj, "spec")))


def _read_words(words: list[str]) -> tuple[str, ...] | None:
    # Beside a configuration file kube-proxy ignores the flag.
    if last(occurrences(words, "config")):
        return None
    return split(last(occurrences(words, "cluster-cidr"))) or None


CONFIG: Final = WatchedObjects(
    "ConfigMap kube-system/kube-proxy",
    Selection((CONFIG_MAPS,), namespace="kube-system", fields="metadata.name=kube-proxy"),
    read_config,
)
DAEMON_SET: Final = WatchedObjects(
    "DaemonSet kube-system/kube-proxy with --cluster-cidr",
    Selection((DAEMON_SETS,), namespace="kube-system", fields="metadata.name=kube-proxy"),
    read_daemon_set,
)
PROXIES: Final = WatchedObjects(
    "kube-proxy pod in kube-system with --cluster-cidr",
    Selection((PODS,), namespace="kube-system", labels="component=kube-proxy"),
    read_pod,
)


@dataclass(frozen=True)
class KubeProxy:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (
        CONFIG,
        DAEMON_SET,
        PROXIES,
        azure.CONFIGS,
        *nodes.RANGES,
    )

    def report(self, observations: Observations) -> SourceReport:
        """The ranges that hold podCIDRs of nodes, and the one of the other family."""
        named = [
            (f"{kind} {name}", cidrs)
            for kind, watched in (("DaemonSet", DAEMON_SET), ("pod", PROXIES))
            for name, cidrs in sorted(observations[watched.title].entries.items())
        ]
        configs = observations[CONFIG.title]
        config: _Config = next(iter(configs.entries.values()), _Config())
        if config.pod:
            named.insert(0, (CONFIG.title, config.pod))
        where, cidrs = named[0] if named else ("", ())
        overlays = observations[azure.CONFIGS.title].entries.values()
        known = (*nodes.all_cidrs(observations), *(cidr for found in overlays for cidr in found))
        held, gone = holding(cidrs, known), left_over(cidrs, known)
        pod = tuple(cidr for cidr in cidrs if cidr not in gone) if held else ()
        if named:
            missing = f"{where} names {', '.join(cidrs)}, of which no node has podCIDRs"
        elif configs.entries:
            missing = f"{CONFIG.title}: {config.problem}"
        else:
            missing = f"{configs.why_empty(CONFIG)}, nor a {PROXIES.title}"
        return SourceReport(
            "kube-proxy's cluster CIDR",
            kinds=("pod",),
            pod=pod,
            missing="" if pod else missing,
            unread=unread(observations, *self.watched),
        )
