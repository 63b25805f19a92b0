"""The command line: python -m testbed prepare|up|down|status|demo|exec|fresh|kernels."""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from testbed import (
    binaries,
    bootstrap,
    cache,
    cluster_network,
    cni,
    fresh,
    guard,
    images,
    ipam,
    kernels,
    mesh,
    paths,
    prerequisites,
    release,
    status,
    teardown,
)
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.mesh import images as mesh_images
from testbed.mesh import install as mesh_install
from testbed.mesh.images import MeshImages
from testbed.paths import State
from testbed.progress import Progress

_MESH_PROGRAMS = ("istio-iptables", "istio-ambient", "mesh-proxy")


def _prepare() -> tuple[Path, ...]:
    """Get all that takes long, and return the archives of the product's images."""
    prerequisites.ensure()
    guard.enter()  # again, for what was installed just now
    binaries.ensure()
    cni.meta_plugin()
    images.ensure_pause()
    images.ensure_box()
    return images.build_product()


def _prepare_all() -> None:
    _prepare()
    for program in _MESH_PROGRAMS:
        images.go_binary(program)
    mesh_images.ensure()
    ipam.ensure()
    print("all that `up`, the demo and the tests need is there")


def _up(*, chart: bool, with_mesh: bool) -> State:
    named, with_whereabouts = cluster_network.wanted(), ipam.wanted()
    product = _prepare()
    network = cluster_network.ensure(named)
    meshed = mesh_images.ensure() if with_mesh else None
    whereabouts = ipam.ensure() if with_whereabouts else None
    progress = Progress()
    state = State.of_clone()
    with _alone(state):
        cluster = bootstrap.ensure(state, progress, network)
        release.load(cluster, product, progress)
        if whereabouts is not None:
            whereabouts.install(cluster)
            progress.say(f"{ipam.WHEREABOUTS} runs in namespace {ipam.PROJECT.namespace}")
        if meshed is not None:
            _add_mesh(cluster, meshed, progress)
        if chart:
            release.install(cluster, product, progress)
    return state


def _add_mesh(cluster: Cluster, meshed: MeshImages, progress: Progress) -> None:
    mesh_install.load(cluster, meshed, progress)
    mesh_install.install(cluster, meshed, progress)


def _down() -> None:
    state = State.of_clone()
    with _alone(state):
        teardown.remove(state)
    print("the testbed is removed")


def _status() -> int:
    lines, healthy = status.report(State.of_clone())
    print("\n".join(lines))
    return 0 if healthy else 1


def _execute(node: str, command: list[str]) -> NoReturn:
    cluster = Cluster.running()
    command = command or ["sh"]
    argv = (
        cluster.gateway_command(command)
        if node == "gateway"
        else cluster.node_command(node, command)
    )
    os.execvp(argv[0], argv)  # noqa: S606 - the command takes this one's place, without a shell


def _demo() -> None:
    # Only the demo needs its parts, and it is the largest of the commands.
    from testbed import demo  # noqa: PLC0415

    # The guide begins with a cluster without the product, and installs it by helm.
    _up(chart=False, with_mesh=True)
    demo.main()


def _alone(state: State) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of a state: one command at a time changes a cluster."""
    # Not in the state folder, which `down` removes.
    path = paths.cache_dir() / "locks" / cache.key_of(str(state.root))
    return cache.locked(path, f"another testbed command works on {state.root}, waiting")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="testbed", description="A real Kubernetes without Docker")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="install packages, build binaries and images")
    up = commands.add_parser("up", help="bring up a cluster with the product")
    up.add_argument("--without-chart", action="store_true", help="do not install the product")
    commands.add_parser("down", help="remove the cluster")
    commands.add_parser("status", help="tell what runs")
    commands.add_parser("demo", help="the Istio guide from start to proof")
    anew = commands.add_parser("fresh", help="run Make's targets on a machine without anything")
    anew.add_argument("targets", nargs="*", default=["test"], metavar="target")
    stock = commands.add_parser("kernels", help="run tests on stock kernels in virtual machines")
    stock.add_argument("--quick", action="store_true", help="only what no other kernel shows")
    stock.add_argument("tests", nargs="*", metavar="test", help="in place of the suites' own")
    execute = commands.add_parser("exec", help="run a command inside a node or the gateway")
    execute.add_argument("node", help="node1, node2, … or gateway")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="command")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.command == "exec":
        # What is looked at there is the user's choice, and so is PATH.
        return _execute(options.node, options.argv)
    guard.enter()
    match options.command:
        case "prepare":
            _prepare_all()
        case "up":
            state = _up(chart=not options.without_chart, with_mesh=mesh.wanted())
            print(f"export KUBECONFIG={state.kubeconfig} PATH={state.bin}:$PATH")
        case "down":
            _down()
        case "status":
            return _status()
        case "fresh":
            return fresh.run(options.targets)
        case "kernels":
            return kernels.run(options.tests, quick=options.quick)
        case _:
            _demo()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except TestbedError as failed:
        print(f"testbed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("testbed: interrupted; the same command again continues", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
