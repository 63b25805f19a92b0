"""A real API server for tests: etcd and kube-apiserver on loopback, without root.

Nothing else runs: no nodes, no default service accounts, and no controllers but those
that a test asks for. It is up in about three seconds. The processes end with the
thread that started them, even when that is killed, so a test that is interrupted
leaves nothing behind.
"""

import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed import binaries, built, control_plane, kubeconfig, processes
from testbed.errors import TestbedError

_ATTEMPTS = 3
# Longer on the emulated processors of `make kernels`.
_START_SECONDS = 60.0 if built.folder() is None else 600.0
_PREFIX = "testbed-apiserver-"


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _remove_abandoned() -> None:
    """Remove the folders of tests that were killed; their names have the process' id."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and processes.start_time(int(owner)) is None:
            shutil.rmtree(folder, ignore_errors=True)


class ApiServer:
    """A context manager that gives a fresh, empty Kubernetes API.

    Attributes:
        kubeconfig: a file for a user of the group `system:masters`.
        url: `https://127.0.0.1:PORT`; it stays the same over a restart.
        token: the bearer token of that user.
        authority: the file with the certificate that signed the server's.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        _remove_abandoned()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self.kubeconfig = self._folder / "kubeconfig"
        self.authority = self._folder / "certificates" / "apiserver.crt"
        self.url = ""
        self._binaries = Path()
        self._etcd: processes.Process | None = None
        self._apiserver: processes.Process | None = None
        self._controllers: processes.Process | None = None
        self._etcd_port = 0

    def __enter__(self) -> Self:
        """Start both processes and wait until the API is ready.

        Raises:
            TestbedError: the binaries cannot be built, or a process does not come up.
        """
        self._binaries = binaries.ensure()
        try:
            self._prepare()
            self._start_all()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clean_up()

    def stop_apiserver(self) -> None:
        """End kube-apiserver, as in an outage; etcd keeps the objects."""
        if self._apiserver is not None:
            processes.stop(self._apiserver.pid)
        self._apiserver = None

    def start_apiserver(self) -> None:
        """Start kube-apiserver on the same port and wait until it is ready.

        Raises:
            TestbedError: it does not come up; the text has the end of its log.
        """
        if self._apiserver is not None and self._apiserver.alive():
            return
        process = self._start("kube-apiserver", self._apiserver_flags())
        self._apiserver = process
        processes.wait_until(
            f"the API server at {self.url} answers",
            lambda: kubeconfig.is_ready(self.url, self.authority, self.token),
            seconds=_START_SECONDS,
            watching=(process,),
        )
        self.kubeconfig.write_text(
            kubeconfig.with_token(self.url, self.authority.read_bytes(), self.token)
        )

    def start_controllers(self, *names: str) -> None:
        """Run these controllers of kube-controller-manager, until the API server's end.

        Raises:
            TestbedError: it does not come up; the text has the end of its log.
        """
        flags = [
            *control_plane.client(self.kubeconfig),
            f"--controllers={','.join(names)}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        process = self._start("kube-controller-manager", flags)
        self._controllers = process
        processes.wait_until(
            f"the controllers {', '.join(names)} run",
            lambda: process.log.read_text().count("Caches are synced") >= len(names),
            seconds=_START_SECONDS,
            watching=(process,),
        )

    def _prepare(self) -> None:
        binaries.run(
            self._binaries, "kubeadm", "init", "phase", "certs", "sa", f"--cert-dir={self._folder}"
        )
        # token, user, uid, groups
        (self._folder / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n")

    def _start_all(self) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self._etcd_port = free_port()
            self.url = f"https://127.0.0.1:{free_port()}"
            try:
                self._etcd = self._start("etcd", self._etcd_flags())
                self.start_apiserver()
            except TestbedError as failed:
                # Another process may have taken a port between our look and our use.
                if attempt == _ATTEMPTS or "address already in use" not in str(failed):
                    raise
                self._stop_all()
            else:
                return

    def _start(self, name: str, flags: list[str]) -> processes.Process:
        # The kernel ends the child when the thread that started it ends.
        command = ["setpriv", "--pdeathsig", "KILL", str(self._binaries / name), *flags]
        return processes.start(name, command, state=self._folder)

    def _etcd_flags(self) -> list[str]:
        client = f"http://127.0.0.1:{self._etcd_port}"
        # Nobody is to join this etcd: its peer port may be any free one.
        peer = f"http://127.0.0.1:{free_port()}"
        return [
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _apiserver_flags(self) -> list[str]:
        port = self.url.rpartition(":")[2]
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={self._folder / 'certificates'}",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            f"--service-account-key-file={self._folder / 'sa.pub'}",
            f"--service-account-signing-key-file={self._folder / 'sa.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            # No controller makes the default service accounts that this one waits for.
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
        ]

    def _stop_all(self) -> None:
        if self._controllers is not None:
            processes.stop(self._controllers.pid)
        self._controllers = None
        self.stop_apiserver()
        if self._etcd is not None:
            processes.stop(self._etcd.pid)
        self._etcd = None

    def _clean_up(self) -> None:
        self._stop_all()
        shutil.rmtree(self._folder, ignore_errors=True)
