"""Put a pod into a mesh as Istio's sidecar injection does, and ask it for an answer.

The rules are programmed by Istio's own istio-iptables, with the arguments that its
init container has by default, from the machine that the pod's node runs on. The
redirect listener in the pod stands for the proxy.
"""

import shlex
from pathlib import Path

from testbed.demo.manifests import APP_PORT, NODE_SHELL, PROXY_PORT
from testbed.demo.parse import holds_container
from testbed.demo.shell import Shell
from testbed.errors import TestbedError

ISTIO_ARGUMENTS = (
    *("-p", "15001"),  # the proxy's port for what goes out
    *("-z", str(PROXY_PORT)),
    *("-u", "1337"),  # the proxy's own traffic is left alone
    *("-g", "1337"),
    *("-m", "REDIRECT"),
    *("-i", "*"),
    *("-x", ""),
    *("-b", "*"),
    *("-d", "15090,15021,15020"),  # the proxy's own ports of health and metrics
)
"""What Istio's sidecar injection passes to istio-iptables by default."""


def request(pod: str, port: int = APP_PORT, namespace: str = "default") -> str:
    """Return the command that asks a pod, by its address, from its node."""
    address = f"$(kubectl get pod {pod} -n {namespace} -o jsonpath={{.status.podIP}})"
    return f"kubectl exec {NODE_SHELL} -n default -- fetch http://{address}:{port}/"


def enter_network(shell: Shell, pod: str, namespace: str = "default") -> tuple[str, ...]:
    """Return the command prefix that runs a program of this machine in a pod's network.

    Raises:
        TestbedError: none of the pod's processes is visible on this machine.
    """
    path = "{.status.containerStatuses[0].containerID}"
    uri = shell.output(f"kubectl get pod {pod} -n {namespace} -o jsonpath='{path}'")
    pid = find_process(uri.rpartition("/")[2])
    if pid is None:
        raise TestbedError(
            f"pod {namespace}/{pod}: no process of its container {uri!r} can be seen here. Istio's "
            "rules are programmed from the machine that the pod's node runs on, by root"
        )
    return ("nsenter", f"--net=/proc/{pid}/ns/net")


def program_rules(prefix: tuple[str, ...], istio_iptables: Path) -> str:
    """Return the command that programs Istio's rules in the network of `prefix`."""
    return shlex.join([*prefix, str(istio_iptables), *ISTIO_ARGUMENTS])


def show_redirection(prefix: tuple[str, ...]) -> str:
    """Return the command that shows the rule which matters in the network of `prefix`."""
    look = shlex.join([*prefix, "iptables", "-t", "nat", "-S", "ISTIO_IN_REDIRECT"])
    # Istio looks into iptables-legacy too, of which iptables warns from then on.
    return f"{look} 2>/dev/null"


def find_process(container_id: str) -> int | None:
    """Return the pid of a process of a container, as far as this process can see it."""
    for path in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            cgroup = (path / "cgroup").read_text()
            # A shim may be in the same control group without the container's network.
            foreign = (path / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        except OSError:
            continue  # it has ended, or belongs to someone else
        if foreign and holds_container(cgroup, container_id):
            return int(path.name)
    return None
