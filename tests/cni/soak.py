"""Pods that come and go on one node, and all that could be left of them."""

import dataclasses
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cni import overlay
from tests.cni.namespace import Namespace
from tests.cni.topology import PluginError, Pod, Segment

_ADDRESS = "169.254.100.1"
_FAIL_AT = {"COORDINATOR_FAIL_AT": "9"}
"""A step in the middle of an ADD, for the plugin that tests are built with."""


@dataclass(frozen=True)
class Spent:
    """What calls took: wall clock, and processors, in seconds."""

    seconds: float = 0.0
    processor: float = 0.0


class Soak:
    """A node with two pods that stay; their containers are other ones in every cycle."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self._spent = Spent()
        self._underlay, self._overlay = segment.pod(), segment.pod()
        self._underlay.plug(10)
        overlay.connect(self._overlay)
        self._overlay.attach("net1", families=(4, 6), net=7)
        self._ways: tuple[Callable[[int], None], ...] = (
            *(self._comes_and_goes, self._has_a_further_interface, self._comes_and_goes),
            *(self._goes_without_its_namespace, self._fails, self._has_a_further_interface),
            *(self._comes_and_goes, self._is_added_twice, self._goes_with_its_namespace),
        )

    def cycle(self, number: int) -> Spent:
        """Add and delete a pod in one of the ways; return what the plugin took."""
        self._spent = Spent()
        self._ways[number % len(self._ways)](number)
        return self._spent

    def _call(
        self, pod: Pod, command: str, dev: str = "eth0", env: dict[str, str] | None = None
    ) -> None:
        begun, worked = time.perf_counter(), _of_children()
        try:
            pod.coordinator(command, dev, env, vethLinkAddress=_ADDRESS)
        finally:
            self._spent = Spent(
                self._spent.seconds + time.perf_counter() - begun,
                self._spent.processor + _of_children() - worked,
            )

    def _comes_and_goes(self, number: int) -> None:
        pod = _renamed(self._underlay, number)
        self._call(pod, "ADD")
        self._call(pod, "DEL")

    def _has_a_further_interface(self, number: int) -> None:
        pod = _renamed(self._overlay, number)
        self._call(pod, "ADD", "net1")
        self._call(pod, "DEL", "net1")

    def _is_added_twice(self, number: int) -> None:
        pod = _renamed(self._underlay, number)
        self._call(pod, "ADD")
        self._comes_and_goes(number)
        self._call(pod, "DEL")

    def _goes_without_its_namespace(self, number: int) -> None:
        pod = _renamed(self._underlay, number)
        self._call(pod, "ADD")
        # Of a restarted node, runtimes delete what they cannot find any more.
        self._call(pod, "DEL", env={"CNI_NETNS": ""})
        self._call(pod, "DEL")

    def _fails(self, number: int) -> None:
        pod = _renamed(self._underlay, number)
        try:
            self._call(pod, "ADD", env=_FAIL_AT)
        except PluginError:
            self._call(pod, "DEL")
        else:
            raise AssertionError("an ADD did not fail in the step where it was told to")

    def _goes_with_its_namespace(self, number: int) -> None:
        space = Namespace(f"{self.segment.tag}-gone")
        pod = Pod(self.segment, space, _container(number))
        space.create()
        try:
            pod.plug(11)
            self._call(pod, "ADD")
        finally:
            space.delete()
        self._call(pod, "DEL")

    def left(self) -> dict[str, list[str]]:
        """Return all of the node and the two pods that an ADD may add to, by what it is."""
        found: dict[str, list[str]] = {}
        for space in (self.segment.node, self._underlay.space, self._overlay.space):
            found |= {f"{kind} of {space.name}": lines for kind, lines in _state(space).items()}
        found["files"] = sorted(map(str, self.segment.state.rglob("*")))
        found["descriptors"] = sorted(path.name for path in Path("/proc/self/fd").iterdir())
        found["processes"] = _processes(self.segment.binary)
        found["namespaces"] = sorted(
            path.name
            for path in Path("/run/netns").iterdir()
            if path.name.startswith(self.segment.tag)
        )
        return found

    def changed(self, before: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return what was not there before, or is not there any more, by what it is."""
        after = self.left()
        return {
            what: sorted(set(before.get(what, ())) ^ set(after.get(what, ())))
            for what in before.keys() | after.keys()
            if before.get(what) != after.get(what)
        }

    def is_tentative(self) -> bool:
        """Return whether an address waits for duplicate address detection, which adds routes."""
        spaces = (self.segment.node, self._underlay.space, self._overlay.space)
        return any(space.run("ip -6 addr show tentative").strip() for space in spaces)


def _of_children() -> float:
    """Return the seconds of processors that all children have had that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _renamed(pod: Pod, number: int) -> Pod:
    return dataclasses.replace(pod, container=_container(number))


def _container(number: int) -> str:
    return f"{number:08x}".ljust(64, "e")


def _state(space: Namespace) -> dict[str, list[str]]:
    """Return what a network namespace has."""
    found = {
        "links": sorted(link["ifname"] for link in space.ip("link show")),
        "nftables": space.run("nft list ruleset").splitlines(),
        # One line a socket that some process still has open.
        "sockets": [line.split()[1] for line in space.run("cat /proc/net/netlink").splitlines()],
    }
    for family in (4, 6):
        found[f"IPv{family} rules"] = space.rules(family)
        found[f"IPv{family} routes"] = sorted(space.routes(family, "all"))
        found[f"IPv{family} neighbours"] = sorted(space.neighbours(family))
    return found


def _processes(binary: Path) -> list[str]:
    """Return the processes that run a program."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").readlink() == binary:
                found.append(process.name)
        except OSError:
            # It has ended meanwhile, or is one of the kernel's own.
            continue
    return found
