"""Rules that change while they are read, as kube-proxy's do all day.

nftables is read by several requests: chains come and go between two of them, and the rules of a
chain that went are an empty answer, not an error.
"""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.cni.doctor import Doctor
from tests.cni.topology import Segment

CHAINS = 12
READINGS = 60


def ruleset(name: str) -> str:
    """Rules whose last chain lets all pass that the policy drops; each time its name differs."""
    chains = "".join(
        f"chain {name}{number} {{ jump {name}{number + 1}; }}\n" for number in range(CHAINS)
    )
    last = f"chain {name}{CHAINS} {{ accept; }}\n"
    hook = "type filter hook forward priority 0; policy drop;"
    base = f"chain forward {{ {hook} jump {name}0; }}\n"
    text = "".join(reversed([base, *chains.splitlines(keepends=True), last]))
    return f"table ip proxy\ndelete table ip proxy\ntable ip proxy {{\n{text}}}\n"


@contextlib.contextmanager
def changing(segment: Segment) -> Iterator[list[int]]:
    """Replace one ruleset by another without pause; gives what nft ended with each time."""
    over, statuses = threading.Event(), list[int]()

    def replace() -> None:
        while not over.is_set():
            for name in ("one", "two"):
                argv = segment.node.argv("nft -f -")
                done = subprocess.run(argv, input=ruleset(name), text=True, check=False)
                statuses.append(done.returncode)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


def test_the_doctor_reads_one_state(segment: Segment, programs: Path, tmp_path: Path) -> None:
    pod = segment.pod()
    pod.attach()
    pod.coordinator()
    doctor, start = Doctor(segment, programs, tmp_path), "WARNING chain forward of table proxy"
    segment.node.run("nft -f -", stdin=ruleset("one").replace("accept;", ""))
    assert len(doctor.starting(start)) == 1
    segment.node.run("nft -f -", stdin=ruleset("one"))
    with changing(segment) as statuses:
        found = [doctor.starting(start) for _ in range(READINGS)]
    assert found == [[]] * READINGS
    assert len(statuses) > READINGS / 10
    assert set(statuses) == {0}
