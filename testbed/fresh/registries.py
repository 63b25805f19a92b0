"""How this machine reaches the package registries, told to a root that knows nothing yet."""

import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"

_FILES = (
    *("etc/hosts", "etc/resolv.conf"),
    *("etc/apt/apt.conf", "etc/apt/apt.conf.d", "etc/apt/keyrings", "etc/apt/trusted.gpg.d"),
    *("usr/local/share/ca-certificates", _CERTIFICATES),
    *("etc/pip.conf", "etc/uv/uv.toml"),
)
"""Files and folders of the machine."""

_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d")
"""Where the machine has its packages from, of use for the same release alone."""

_HOME_FILES = (".config/pip/pip.conf", ".config/uv/uv.toml", ".config/go/env")

_VARIABLES = re.compile(
    r"(?i:(?:https?|all|no)_proxy)"
    r"|(?:SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO)"
    r"|PIP_(?:CERT|DEFAULT_TIMEOUT|EXTRA_INDEX_URL|INDEX_URL|PROXY|RETRIES|TRUSTED_HOST)"
    r"|UV_(?:DEFAULT_INDEX|EXTRA_INDEX_URL|HTTP_TIMEOUT|INDEX|INDEX_URL|INSECURE_HOST|NATIVE_TLS)"
    r"|GO(?:AUTH|FLAGS|INSECURE|NOPROXY|NOSUMDB|PRIVATE|PROXY|SUMDB|TOOLCHAIN)"
)


def bring(root: Path, suite: str) -> None:
    """Copy the settings of this machine into the root of a Debian of the release `suite`."""
    same = platform.freedesktop_os_release().get("VERSION_CODENAME") == suite
    if same:
        # What debootstrap wrote would be asked beside them.
        (root / _SOURCES[0]).unlink(missing_ok=True)
    for name in (*_FILES, *(_SOURCES if same else ())):
        _copy(Path("/") / name, root / name)
    for name in _HOME_FILES:
        _copy(Path.home() / name, root / "root" / name)
    for value in variables(os.environ).values():
        if value.startswith("/") and Path(value).is_file():
            _copy(Path(value), root / value.lstrip("/"))


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that says how registries are reached."""
    return {name: value for name, value in environment.items() if _VARIABLES.fullmatch(name)}


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        # Where the target is a link, it leads out of the root.
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
