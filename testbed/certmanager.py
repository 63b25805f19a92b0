"""cert-manager: its kinds, and its controllers as a program that runs beside an API server."""

from pathlib import Path

from testbed import cache, gobuild, paths

_MODULE = paths.SOURCES / "cert-manager"
_CERT_MANAGER = "github.com/cert-manager/cert-manager"
_PROGRAM = "cert-manager"


def crds() -> Path:
    """Return the folder with its CRDs, one file each.

    Raises:
        TestbedError: its Go module cannot be had.
    """
    return gobuild.module_source(_MODULE, _CERT_MANAGER) / "deploy" / "crds"


def controllers() -> Path:
    """Return the program whose argument is `controller` or `cainjector`; build it when missing.

    Raises:
        TestbedError: Go is missing or the build fails.
    """
    names = ("go.mod", "go.sum", "main.go")
    key = cache.key_of(*(_MODULE / name for name in names), gobuild.toolchain())
    home = cache.entry(
        _PROGRAM,
        key,
        lambda folder: gobuild.build(
            _MODULE,
            ".",
            folder / _PROGRAM,
            ("-s", "-w"),
            "cert-manager's controllers (the first time only: minutes)",
        ),
    )
    return home / _PROGRAM
