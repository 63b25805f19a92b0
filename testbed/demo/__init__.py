"""`make demo`: the Istio guide from installation to proof, on the testbed's cluster.

Every command is printed before it runs and its output after. The first expectation
that does not hold ends the demo with one message and a non-zero status. The cluster
stays up afterwards, to be looked at.
"""

import json
import sys
from pathlib import Path

from testbed import images
from testbed.demo import mesh, sidecar
from testbed.demo.manifests import PROXY_PORT
from testbed.demo.parse import outcome, table
from testbed.demo.shell import Result, Shell
from testbed.demo.steps import NETWORKS, PODS, PROVEN, Command, Rules, Step, steps
from testbed.errors import TestbedError
from testbed.paths import PROJECT, State

_CHART = Path("charts/spidercoordinator")
_VALUES = Path("testbed/manifests/values.yaml")


def run(state: State) -> None:
    """Run the demo on a cluster that is up and has the images.

    Raises:
        TestbedError: an expectation does not hold; the text says which and what was seen.
    """
    shell = Shell(kubeconfig=state.kubeconfig, bins=(state.bin,), folder=PROJECT)
    istio_iptables = images.go_binary("istio-iptables")
    _clear(shell)
    proven: list[tuple[str, ...]] = [PROVEN]
    node = _node(shell)
    for step in (*steps(_CHART, _VALUES, node), *sidecar.steps(node)):
        _headline(step.title)
        for action in step.actions:
            _act(shell, istio_iptables, action, step, proven)
    _headline("What was proven")
    print(table(proven))
    print(_FAREWELL.format(kubeconfig=state.kubeconfig, bin=state.bin))


_FAREWELL = """
The cluster is still there. To look at it:
  export KUBECONFIG={kubeconfig} PATH={bin}:$PATH
  kubectl get pods -A
Remove it with:
  make down"""


def _act(
    shell: Shell,
    istio_iptables: Path,
    action: Command | Rules,
    step: Step,
    proven: list[tuple[str, ...]],
) -> None:
    if isinstance(action, Rules):
        _program(shell, istio_iptables, action.pod)
        return
    _show(action.text)
    result = _result(shell, action)
    print(result.output.rstrip() or "(no output)", flush=True)
    wrong = action.check(result)
    if wrong:
        raise TestbedError(
            f"{step.title}: not as expected: {wrong}. The command was\n{action.text}\n"
            f"and it printed\n{result.output.strip()}"
        )
    if action.proves:
        proven.append((*action.proves, outcome(result.output)))


def _result(shell: Shell, command: Command) -> Result:
    if not command.within:
        return shell.run(command.text)
    return shell.wait(command.text, lambda result: command.check(result) is None, command.within)


def _program(shell: Shell, istio_iptables: Path, pod: str) -> None:
    prefix = mesh.enter_network(shell, pod)
    print(f"# on the machine of the node, in the network of pod {pod}:")
    command = mesh.program_rules(prefix, istio_iptables)
    _show(command)
    shell.output(command)
    inspect = mesh.show_redirection(prefix)
    _show(inspect)
    rules = shell.output(inspect)
    print(rules.rstrip(), flush=True)
    if f"REDIRECT --to-ports {PROXY_PORT}" not in rules:
        raise TestbedError(f"pod {pod}: Istio's rules do not redirect to port {PROXY_PORT}")


def _clear(shell: Shell) -> None:
    """Take away what an earlier demo or `make up` left, so that the guide starts anew."""
    shell.output(f"kubectl delete pod {' '.join(PODS)} -n default --ignore-not-found --wait")
    # Its pods go before their networks do.
    shell.output(f"kubectl delete namespace {sidecar.NAMESPACE} --ignore-not-found --wait")
    kinds = shell.output("kubectl get crd -o name")
    if "spidermultusconfigs.spiderpool.spidernet.io" in kinds:
        names = " ".join(NETWORKS)
        shell.output(
            f"kubectl delete spidermultusconfigs {names} -n kube-system --ignore-not-found"
        )
    releases = json.loads(shell.output("helm list --all-namespaces --all -o json"))
    for release in releases:
        if release["chart"].startswith(f"{_CHART.name}-"):
            shell.output(f"helm uninstall {release['name']} -n {release['namespace']} --wait")
    shell.output("kubectl delete namespace spiderpool --ignore-not-found --wait")


def _node(shell: Shell) -> str:
    """Return the node for all pods; "" when there is but one, which needs no naming."""
    names = shell.output("kubectl get nodes -o jsonpath='{.items[*].metadata.name}'").split()
    return names[0] if len(names) > 1 else ""


def _headline(title: str) -> None:
    print(f"\n== {title}\n", flush=True)


def _show(text: str) -> None:
    print(f"$ {text}", flush=True)


def main() -> None:
    """Run the demo on this clone's cluster."""
    try:
        run(State.of_clone())
    except TestbedError as failure:
        sys.exit(f"demo: {failure}")


if __name__ == "__main__":
    main()
