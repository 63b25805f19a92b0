"""What the routing of a pod looks like: addresses, default routes, rules by source."""

from tests.cni.topology import Pod

DUAL = (4, 6)
OUTSIDE = {4: "192.0.2.9", 6: "2001:db8::9"}
SERVICE = {4: "10.233.0.1", 6: "fd85:ee79::1"}


def own(pod: Pod, dev: str, family: int) -> str:
    return pod.ipv4(dev) if family == 4 else pod.ipv6(dev)


def defaults(pod: Pod, family: int, table: str | int = "main") -> list[str]:
    """Return the interfaces of a table's default routes."""
    found = [route.split() for route in pod.space.routes(family, table)]
    hops = [words for words in found if words[0] in {"default", "nexthop"} and "dev" in words]
    return [words[words.index("dev") + 1] for words in hops]


def from_rules(pod: Pod, family: int) -> dict[str, str]:
    """Return the table for each source address."""
    words = [rule.split() for rule in pod.space.rules(family)]
    return {rule[2]: rule[4] for rule in words if rule[2] != "all" and rule[3] == "lookup"}
