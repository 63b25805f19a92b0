"""What the API server tells about the nodes, and waiting for it."""

import json
from ipaddress import IPv4Network
from typing import Any

from testbed import processes
from testbed.cluster import Cluster
from testbed.namespaces import Namespaces
from testbed.processes import Process

_SECONDS = 90.0


def pod_ranges(cluster: Cluster) -> dict[str, IPv4Network]:
    """Wait until every node is registered and has its pod range; return them by name.

    Raises:
        TestbedError: a node does not register; the text has the end of kubelet's log.
    """
    found: dict[str, IPv4Network] = {}

    def complete() -> bool:
        for item in _nodes(cluster):
            if pod_cidr := item["spec"].get("podCIDR"):
                found[item["metadata"]["name"]] = IPv4Network(pod_cidr)
        return len(found) == len(cluster.nodes)

    _wait(cluster, "every node registered with a pod range", complete)
    return found


def wait_for_nodes(cluster: Cluster) -> None:
    """Wait until every node is Ready.

    Raises:
        TestbedError: one does not become Ready; the text has the end of kubelet's log.
    """
    _wait(cluster, "all nodes Ready", lambda: all(map(is_ready, _nodes(cluster))))


def wait_for_routes(
    cluster: Cluster, inside: dict[str, Namespaces], ranges: dict[str, IPv4Network]
) -> None:
    """Wait until every node has a route to the pods of each other node.

    Raises:
        TestbedError: a node gets none; the text has the end of kubelet's log.
    """

    def routed(name: str) -> bool:
        routes = json.loads(inside[name].run("ip", "-json", "route", "show"))
        found = {route["dst"] for route in routes}
        return all(str(pods) in found for other, pods in ranges.items() if other != name)

    _wait(cluster, "routes to the pods of all nodes", lambda: all(map(routed, inside)))


def is_ready(node: dict[str, Any]) -> bool:
    """Tell whether a Node object has the condition Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _wait(cluster: Cluster, what: str, ready: "processes.Condition") -> None:
    root = cluster.state.root
    watched = [processes.find(name, root) for name in processes.names(root)]
    running: tuple[Process, ...] = tuple(process for process in watched if process)
    log = cluster.state.logs / f"{cluster.control_plane.name}-kubelet.log"
    processes.wait_until(what, ready, seconds=_SECONDS, watching=running, log=log)


def _nodes(cluster: Cluster) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(cluster.kubectl("get", "nodes", "-o=json"))["items"]
    return items
