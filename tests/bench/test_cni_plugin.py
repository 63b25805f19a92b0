"""What an ADD and a DEL of the coordinator cost, beside other programs in the same run.

Every figure is the time of a whole process, from fork to exit, inside the node's namespace. An ADD
is compared with that of `macvlan` with `host-local`, a DEL with a bare
`ip link del` of a veth pair.
"""

import contextlib
import ctypes
import itertools
import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bench.verdict import verdict
from tests.cni.namespace import Json
from tests.cni.topology import PLUGINS, Pod, Segment, macvlan

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

BINARY = Path(__file__).resolve().parents[2] / "build" / "bin" / "coordinator"
ROUNDS, PARALLEL = 40, 20
LINK_DEL = "ip link del of a veth pair"
CLONE_NEWNET = 0x40000000
LIVING = 250
LIMIT_BYTES = 5_000_000
ADD_TO_MACVLAN, PARALLEL_ADD_TO_MACVLAN, DEL_TO_LINK_DEL, ADD_BESIDE_LIVING = 0.7, 0.8, 1.1, 1.2
_numbers = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    with Segment(f"bench{os.getpid()}-{next(_numbers)}", tmp_path, BINARY) as made:
        yield made


@pytest.fixture
def idle_binary(tmp_path: Path) -> Path:
    """A static Go binary that exits at once."""
    source = tmp_path / "idle.go"
    source.write_text("package main\n\nfunc main() {}\n")
    target = tmp_path / "idle"
    env = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", str(target), str(source)], check=True, env=env)
    return target


@contextlib.contextmanager
def inside(segment: Segment) -> Iterator[None]:
    """Run children of this thread in the node's namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    node = os.open(segment.node.path, os.O_RDONLY)
    try:
        assert _libc.setns(node, CLONE_NEWNET) == 0
        yield
    finally:
        assert _libc.setns(home, CLONE_NEWNET) == 0
        os.close(node)
        os.close(home)


def timed(pod: Pod, binary: Path, command: str, conf: Json) -> tuple[float, Json]:
    """Return the milliseconds of one call and its answer."""
    env = {
        "PATH": os.environ["PATH"],
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": pod.container,
        "CNI_NETNS": str(pod.space.path),
        "CNI_IFNAME": "eth0",
        "CNI_PATH": str(PLUGINS),
        "CNI_ARGS": "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web",
    }
    text = json.dumps(conf).encode()
    begin = time.perf_counter()
    done = subprocess.run([binary], input=text, env=env, capture_output=True, check=False)
    spent = (time.perf_counter() - begin) * 1000
    assert done.returncode == 0, done.stdout + done.stderr
    return spent, json.loads(done.stdout or "{}")


def table(
    title: str, rows: dict[str, list[float]], yardsticks: dict[str, str], *, paired: bool = True
) -> dict[str, float]:
    """Print medians and return the ratio of each row to its yardstick.

    Where the times of one round are taken one after another, a ratio is the median of the rounds'
    ratios: what else the machine does from one minute to the next is in both.
    """
    print(f"\n{title}\n{'':42}{'median':>9}{'p95':>9}{'ratio':>8}")  # noqa: T201
    ratios: dict[str, float] = {}
    for name, times in rows.items():
        ratio = ""
        if name in yardsticks:
            pairs = zip(times, rows[yardsticks[name]], strict=True)
            of_rounds = statistics.median(own / yardstick for own, yardstick in pairs)
            of_all = statistics.median(times) / statistics.median(rows[yardsticks[name]])
            ratios[name] = of_rounds if paired else of_all
            ratio = f"{ratios[name]:.2f} x"
        p95 = sorted(times)[int(len(times) * 0.95)]
        print(f"{name:42}{statistics.median(times):6.1f} ms{p95:6.1f} ms{ratio:>8}")  # noqa: T201
    return ratios


def kernel_delete() -> float:
    """Return the milliseconds of a program that only deletes a veth pair."""
    subprocess.run(["ip", "link", "add", "vethx", "type", "veth", "peer", "vethy"], check=True)
    begin = time.perf_counter()
    subprocess.run(["ip", "link", "del", "vethx"], check=True)
    return (time.perf_counter() - begin) * 1000


def test_one_after_another(segment: Segment, idle_binary: Path) -> None:
    names = ["static Go binary", "macvlan ADD", "coordinator ADD", "coordinator CHECK"]
    rows: dict[str, list[float]] = {name: [] for name in names}
    rows |= {LINK_DEL: [], "coordinator DEL": [], "macvlan DEL": []}
    conf = macvlan(segment.state)
    with inside(segment):
        for _ in range(ROUNDS):
            pod = segment.pod()

            def note(name: str, binary: Path, command: str, conf: Json, pod: Pod = pod) -> Json:
                spent, answer = timed(pod, binary, command, conf)
                rows[name].append(spent)
                return answer

            note("static Go binary", idle_binary, "ADD", {})
            rows[LINK_DEL].append(kernel_delete())
            pod.results["eth0"] = note("macvlan ADD", PLUGINS / "macvlan", "ADD", conf)
            own = pod.conf(vethLinkAddress="169.254.100.1")
            for command in ("ADD", "CHECK", "DEL"):
                note(f"coordinator {command}", BINARY, command, own)
            previous = {"prevResult": pod.results["eth0"]}
            note("macvlan DEL", PLUGINS / "macvlan", "DEL", conf | previous)
            pod.space.delete()
    ratios = table(
        f"{ROUNDS} pods, IPv4, one after another",
        rows,
        {"coordinator ADD": "macvlan ADD", "coordinator DEL": LINK_DEL},
    )
    print(f"ADD to macvlan's: {verdict(ratios['coordinator ADD'], ADD_TO_MACVLAN)}")  # noqa: T201
    print(f"DEL to {LINK_DEL}: {verdict(ratios['coordinator DEL'], DEL_TO_LINK_DEL)}")  # noqa: T201


def of_children() -> float:
    """Return the milliseconds of processors that children have had, of those that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def populate(segment: Segment) -> None:
    """Give the node living pods, each with its own interfaces, routes and rules."""
    for number in range(LIVING):
        pod = segment.pod()
        pod.plug(number + 1)
        pod.coordinator(vethLinkAddress="169.254.100.1")


@pytest.fixture
def second_node(tmp_path: Path) -> Iterator[Segment]:
    """A node that is alone with its pods."""
    with Segment(f"bench{os.getpid()}-{next(_numbers)}", tmp_path / "second", BINARY) as made:
        yield made


def test_beside_living_pods(segment: Segment, second_node: Segment) -> None:
    """In turns on a node with living pods and on one without, so that both see the same load."""
    populate(segment)
    crowded, empty = f"beside {LIVING} living pods", "on an empty node"
    rows: dict[str, list[float]] = {
        f"{plugin} ADD {where}": []
        for plugin in ("coordinator", "macvlan")
        for where in (crowded, empty)
    }
    # On a busy machine, this tells more than the clock.
    processor: dict[str, list[float]] = {name: [] for name in rows}

    def note(name: str, pod: Pod, binary: Path, conf: Json) -> Json:
        before = of_children()
        spent, answer = timed(pod, binary, "ADD", conf)
        rows[name].append(spent)
        processor[name].append(of_children() - before)
        return answer

    for _ in range(ROUNDS):
        for where, node in ((crowded, segment), (empty, second_node)):
            pod, other = node.pod(), node.pod()
            pod.plug(254)
            own, foreign = pod.conf(vethLinkAddress="169.254.100.1"), macvlan(node.state)
            with inside(node):
                note(f"coordinator ADD {where}", pod, BINARY, own)
                timed(pod, BINARY, "DEL", own)
                result = note(f"macvlan ADD {where}", other, PLUGINS / "macvlan", foreign)
                timed(other, PLUGINS / "macvlan", "DEL", foreign | {"prevResult": result})
            pod.space.delete()
            other.space.delete()
    pairs = {
        f"{plugin} ADD {crowded}": f"{plugin} ADD {empty}" for plugin in ("coordinator", "macvlan")
    }
    ratios = table(f"{ROUNDS} pods, dual-stack (macvlan: IPv4), one after another", rows, pairs)
    table("the same, by the processor's time", processor, pairs)
    ratio = verdict(ratios[f"coordinator ADD {crowded}"], ADD_BESIDE_LIVING)
    print(f"ADD beside them: {ratio}; macvlan's: {ratios[f'macvlan ADD {crowded}']:.2f}")  # noqa: T201


def at_once(work: Callable[[int], float]) -> tuple[list[float], float]:
    """Run work for all pods at the same time; return each one's time and the time of all."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(PARALLEL) as pool:
        times = list(pool.map(work, range(PARALLEL)))
    return times, (time.perf_counter() - begin) * 1000


def test_twenty_in_parallel(segment: Segment) -> None:
    conf = macvlan(segment.state)
    pods = [segment.pod() for _ in range(PARALLEL)]
    dual = [segment.pod() for _ in range(PARALLEL)]
    for number, pod in enumerate(dual):
        pod.plug(number + 10)

    def attach(number: int) -> float:
        pod = pods[number]
        with inside(segment):
            spent, pod.results["eth0"] = timed(pod, PLUGINS / "macvlan", "ADD", conf)
        return spent

    def coordinate(pod: Pod) -> float:
        with inside(segment):
            return timed(pod, BINARY, "ADD", pod.conf(vethLinkAddress="169.254.100.1"))[0]

    rows, walls = {}, {}
    rows["macvlan ADD"], walls["macvlan"] = at_once(attach)
    rows["coordinator ADD, IPv4"], walls["IPv4"] = at_once(lambda n: coordinate(pods[n]))
    rows["coordinator ADD, dual-stack"], walls["dual"] = at_once(lambda n: coordinate(dual[n]))
    ratios = table(
        f"{PARALLEL} pods at the same time",
        rows,
        {"coordinator ADD, IPv4": "macvlan ADD", "coordinator ADD, dual-stack": "macvlan ADD"},
        paired=False,
    )
    for name, wall in walls.items():
        print(f"all {PARALLEL}, {name:27}{wall:6.0f} ms")  # noqa: T201
    ratio = verdict(ratios["coordinator ADD, IPv4"], PARALLEL_ADD_TO_MACVLAN)
    print(f"ADD to macvlan's: {ratio}")  # noqa: T201


def test_size_of_the_binary() -> None:
    size = BINARY.stat().st_size
    print(f"\ncoordinator in MB: {verdict(size / 1e6, LIMIT_BYTES / 1e6)}")  # noqa: T201
    assert size <= LIMIT_BYTES
