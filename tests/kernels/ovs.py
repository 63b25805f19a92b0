"""Open vSwitch on the tests' node, with Debian's daemons and the kernel's data path."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testbed.prerequisites import VSWITCH_SCHEMA
from tests.cni.conftest import wait_for
from tests.cni.namespace import Namespace, run


class Switch:
    """The daemons of a node, with their files in one folder."""

    def __init__(self, node: Namespace, folder: Path) -> None:
        self._node, self._folder = node, folder
        self._socket = f"unix:{folder}/db.sock"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run both daemons; the data path lies in the node's network."""
        database = self._folder / "conf.db"
        run("ovsdb-tool", "create", database, VSWITCH_SCHEMA)
        remote = self._socket.replace("unix:", "punix:", 1)
        with (
            self._daemon("ovsdb-server", str(database), f"--remote={remote}"),
            self._ready(),
            self._daemon("ovs-vswitchd", self._socket),
        ):
            yield

    def control(self, *words: str) -> str:
        """Run ovs-vsctl, which waits until the switch has done what it says."""
        argv = ["ovs-vsctl", f"--db={self._socket}", "--timeout=60", *words]
        return run(*self._node.argv(""), *argv)

    @contextlib.contextmanager
    def _ready(self) -> Iterator[None]:
        wait_for((self._folder / "db.sock").exists)
        self.control("--no-wait", "init")
        yield

    @contextlib.contextmanager
    def _daemon(self, name: str, *arguments: str) -> Iterator[None]:
        files = [f"--unixctl={self._folder}/{name}.ctl", f"--log-file={self._folder}/{name}.log"]
        argv = ["setpriv", "--pdeathsig", "KILL", *self._node.argv(""), name, *arguments, *files]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()
