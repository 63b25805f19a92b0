"""A small network of namespaces: a node, a machine beside it on the same segment, and pods.

    fabric (bridge) --- node: eth0 10.6.0.10/16, fd00:10:6::10/64   --- pods by macvlan on eth0
                    `-- lan:  eth0 10.6.0.1/16,  fd00:10:6::1/64    (router of the segment)

Nothing of the machine's own network is touched. CNI plugins run inside the node's namespace, with
the configuration on stdin, as a container runtime runs them.
"""

import itertools
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from testbed import paths
from tests.cni.namespace import SLOWNESS, Json, Namespace

PLUGINS = paths.PLUGINS
NODE_IPV4, NODE_IPV6 = "10.6.0.10", "fd00:10:6::10"
LAN_IPV4, LAN_IPV6 = "10.6.0.1", "fd00:10:6::1"
SERVICE_CIDRS = ["10.233.0.0/18", "fd85:ee79::/116"]
POD_CIDRS = ["10.233.64.0/18", "fd85:ee78::/112"]

_numbers = itertools.count()


class PluginError(Exception):
    """A plugin answered with a CNI error."""

    def __init__(self, answer: Json, stderr: str) -> None:
        super().__init__(f"{answer}\n{stderr}")
        self.code: int = answer["code"]
        self.msg: str = answer["msg"]
        self.details: str = answer.get("details", "")


class PluginCrashError(Exception):
    """A plugin ended without an answer."""


@dataclass
class Segment:
    """The node, the machine beside it, and the bridge between them."""

    tag: str
    state: Path
    binary: Path
    fabric: Namespace = field(init=False)
    node: Namespace = field(init=False)
    lan: Namespace = field(init=False)
    pods: list["Pod"] = field(default_factory=list)
    var_lib: Path | None = None  # stands for the node's /var/lib
    wrapper: list[Path | str] = field(default_factory=list)  # the command that runs the plugin

    def __post_init__(self) -> None:
        self.fabric, self.node, self.lan = (
            Namespace(f"{self.tag}-{name}") for name in ("fabric", "node", "lan")
        )

    def create(self) -> None:
        for space in (self.fabric, self.node, self.lan):
            space.create()
        self.fabric.run("ip link add br0 type bridge")
        self.fabric.run("ip link set br0 up")
        self.plug(self.node, "eth0", NODE_IPV4, NODE_IPV6)
        self.plug(self.lan, "eth0", LAN_IPV4, LAN_IPV6)
        for space, router4, router6 in ((self.node, LAN_IPV4, LAN_IPV6),):
            space.run(f"ip route add default via {router4}")
            space.run(f"ip -6 route add default via {router6}")
        for space in (self.node, self.lan):
            space.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")

    def plug(self, space: Namespace, dev: str, ipv4: str, ipv6: str) -> None:
        """Connect a namespace to the bridge."""
        port = f"p{next(_numbers)}"
        self.fabric.run(f"ip link add {port} type veth peer name {dev} netns {space.name}")
        self.fabric.run(f"ip link set {port} master br0 up")
        if ipv4:
            space.run(f"ip addr add {ipv4}/16 dev {dev}")
        if ipv6:
            space.run(f"ip -6 addr add {ipv6}/64 dev {dev} nodad")
        space.run(f"ip link set {dev} up")

    def pod(self) -> "Pod":
        """Make the namespace of a new pod."""
        number = next(_numbers)
        container = f"{number:04x}{os.getpid():08x}".ljust(64, "c")
        pod = Pod(self, Namespace(f"{self.tag}-pod{number}"), container)
        pod.space.create()
        # The main plugin would wait seconds for duplicate address detection.
        pod.space.run("sysctl -qw net.ipv6.conf.default.accept_dad=0")
        self.pods.append(pod)
        return pod

    def __enter__(self) -> Self:
        try:
            self.create()
        except BaseException:
            self.delete()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()

    def delete(self) -> None:
        for pod in self.pods:
            pod.space.delete()
        for space in (self.lan, self.node, self.fabric):
            space.delete()


@dataclass
class Pod:
    """A pod: its namespace, its container's ID, and the results of its interfaces."""

    segment: Segment
    space: Namespace
    container: str
    results: dict[str, Json] = field(default_factory=dict)
    confs: dict[str, Json] = field(default_factory=dict)

    @property
    def host_veth(self) -> str:
        return "veth" + self.container[:11]

    def call(
        self, binary: Path, command: str, ifname: str, conf: Json, env: dict[str, str] | None = None
    ) -> Json:
        """Run a plugin as a container runtime does.

        Raises:
            PluginError: the plugin answered with an error.
            PluginCrashError: it ended with an error and no answer.
        """
        settings = {
            "PATH": os.environ["PATH"],
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": self.container,
            "CNI_NETNS": str(self.space.path),
            "CNI_IFNAME": ifname,
            "CNI_PATH": str(PLUGINS),
            "CNI_ARGS": "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web",
        } | (env or {})
        argv = [*map(str, self.segment.wrapper), *self.segment.node.argv(""), str(binary)]
        if self.segment.var_lib:
            wrapper = Path(__file__).with_name("with_var_lib.sh")
            argv = [str(wrapper), str(self.segment.var_lib), *argv]
        done = subprocess.run(
            argv,
            check=False,
            text=True,
            capture_output=True,
            input=json.dumps(conf),
            env=settings,
            timeout=60 * SLOWNESS,
        )
        answer: Json = json.loads(done.stdout) if done.stdout.strip() else {}
        if done.returncode != 0 and not answer:
            raise PluginCrashError(done.stderr)
        if done.returncode != 0:
            raise PluginError(answer, done.stderr)
        answer_warnings = done.stderr.strip()
        if answer_warnings:
            answer["warnings"] = answer_warnings
        return answer

    def attach(self, ifname: str = "eth0", **ipam: Any) -> Json:
        """Give the pod a macvlan interface; the result is kept for the coordinator."""
        conf = macvlan(self.segment.state, **ipam)
        result = self.call(PLUGINS / "macvlan", "ADD", ifname, conf)
        self.results[ifname], self.confs[ifname] = result, conf
        return result

    def plug(self, host: int) -> None:
        """Make eth0 by hand with host number N of net 6, without the seconds that DAD takes."""
        ipv4, ipv6 = f"10.6.2.{host}", f"fd00:10:6::2:{host}"
        self.segment.node.run(
            f"ip link add m{host} link eth0 netns {self.space.name} type macvlan mode bridge"
        )
        for command in (
            f"ip link set m{host} name eth0",
            f"ip addr add {ipv4}/16 dev eth0",
            f"ip -6 addr add {ipv6}/64 dev eth0 nodad",
            "ip link set eth0 up",
            f"ip route add default via {LAN_IPV4}",
            f"ip -6 route add default via {LAN_IPV6}",
        ):
            self.space.run(command)
        addresses = (f"{ipv4}/16", f"{ipv6}/64")
        self.results["eth0"] = {
            "cniVersion": "1.0.0",
            "interfaces": [{"name": "eth0", "sandbox": str(self.space.path)}],
            "ips": [{"address": address, "interface": 0} for address in addresses],
        }

    def detach(self, ifname: str = "eth0") -> None:
        """Remove the macvlan interface."""
        self.call(PLUGINS / "macvlan", "DEL", ifname, self.confs[ifname])

    def conf(self, ifname: str = "eth0", **section: Any) -> Json:
        """Return the coordinator's configuration as the operator renders it."""
        base: Json = {
            "cniVersion": "1.0.0",
            "name": "macvlan-conf",
            "type": "coordinator",
            "mode": "auto",
            "overlayPodCIDR": POD_CIDRS,
            "serviceCIDR": SERVICE_CIDRS,
            "hijackCIDR": ["169.254.0.0/16"],
            "tunePodRoutes": True,
            "hostRuleTable": 500,
            "podRPFilter": 0,
            "prevResult": self.results.get(ifname),
        }
        merged = base | section
        return {key: value for key, value in merged.items() if value is not None}

    def coordinator(
        self,
        command: str = "ADD",
        ifname: str = "eth0",
        env: dict[str, str] | None = None,
        **section: Any,
    ) -> Json:
        """Run the coordinator for an interface."""
        return self.call(self.segment.binary, command, ifname, self.conf(ifname, **section), env)

    def ipv4(self, ifname: str = "eth0") -> str:
        """Return the interface's IPv4 address."""
        return self._address(ifname, ".")

    def ipv6(self, ifname: str = "eth0") -> str:
        """Return the interface's IPv6 address."""
        return self._address(ifname, ":")

    def _address(self, ifname: str, mark: str) -> str:
        addresses = [str(ip["address"]).split("/")[0] for ip in self.results[ifname]["ips"]]
        return next(address for address in addresses if mark in address)


def macvlan(
    state: Path,
    *,
    families: tuple[int, ...] = (4,),
    net: int = 6,
    gateway: bool = True,
    master: str = "eth0",
) -> Json:
    """Return a macvlan configuration; addresses come from host-local, net 6 is the segment's."""
    ranges: list[list[Json]] = []
    routes: list[Json] = []
    if 4 in families:
        low = {
            "subnet": f"10.{net}.0.0/16",
            "rangeStart": f"10.{net}.1.5",
            "gateway": f"10.{net}.0.1",
        }
        ranges.append([low])
        routes.append({"dst": "0.0.0.0/0"})
    if 6 in families:
        high = {
            "subnet": f"fd00:10:{net}::/64",
            "rangeStart": f"fd00:10:{net}::1:5",
            "gateway": f"fd00:10:{net}::1",
        }
        ranges.append([high])
        routes.append({"dst": "::/0"})
    ipam = {
        "type": "host-local",
        "dataDir": str(state / "ipam"),
        "ranges": ranges,
        "routes": routes if gateway else [],
    }
    return {
        "cniVersion": "1.0.0",
        "name": f"macvlan-net{net}",
        "type": "macvlan",
        "master": master,
        "mode": "bridge",
        "ipam": ipam,
    }
