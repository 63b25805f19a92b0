"""The kinds of cert-manager."""

from pathlib import Path

from testbed import gobuild, paths

_MODULE = paths.SOURCES / "cert-manager"
_CERT_MANAGER = "github.com/cert-manager/cert-manager"


def crds() -> Path:
    """Return the folder with its CRDs, one file each.

    Raises:
        TestbedError: its Go module cannot be had.
    """
    return gobuild.module_source(_MODULE, _CERT_MANAGER) / "deploy" / "crds"
