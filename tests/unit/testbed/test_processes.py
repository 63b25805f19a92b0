import sys
from pathlib import Path

import pytest

from testbed import processes, teardown
from testbed.errors import TestbedError

SLEEP = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]


def test_found_again_until_stopped(tmp_path: Path) -> None:
    process = processes.start("sleeper", SLEEP, state=tmp_path)
    try:
        assert processes.find("sleeper", tmp_path) == process
        processes.wait_until(
            "output", lambda: "begun" in process.log.read_text(), seconds=10, watching=(process,)
        )
        assert list(processes.marked(tmp_path)) == [process.pid]
    finally:
        processes.stop(process.pid)
    assert not process.alive()
    assert processes.find("sleeper", tmp_path) is None
    assert processes.names(tmp_path) == ["sleeper"]


def test_a_reused_pid_is_not_ours(tmp_path: Path) -> None:
    process = processes.start("sleeper", SLEEP, state=tmp_path)
    try:
        record = tmp_path / "run" / "sleeper.json"
        record.write_text(f'{{"pid": {process.pid}, "started": {process.started - 1}}}')
        assert processes.find("sleeper", tmp_path) is None
    finally:
        processes.stop(process.pid)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="daemon: /no/such/program is missing"):
        processes.start("daemon", ["/no/such/program"], state=tmp_path)


def test_a_process_that_ends_ends_the_wait_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such flag')"]
    process = processes.start("daemon", command, state=tmp_path)
    with pytest.raises(TestbedError, match=r"(?s)daemon ended while waiting for it.*no such flag"):
        processes.wait_until("it", lambda: False, seconds=30, watching=(process,))
    processes.reap(process.pid)


def test_a_deadline_ends_the_wait() -> None:
    with pytest.raises(TestbedError, match="the moon rises: not so after 0 s"):
        processes.wait_until("the moon rises", lambda: False, seconds=0.1)


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert processes.tail(log) == "(no output)"
    log.write_text("".join(f"{number}\n" for number in range(100)))
    assert processes.tail(log, 2) == "98\n99"


def test_leftovers_are_told_by_kind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    table = f"overlay /x overlay rw,upperdir={state}/upper 0 0\nproc /proc proc rw 0 0\n"
    assert len(teardown.mounts_of(state, table)) == 1
