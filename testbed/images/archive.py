"""Write docker-archive files: images of one layer, made without any container tool.

The layout is the one of `docker save`: a manifest that names the configuration and
the layers. Files get a fixed time and owner, so equal content gives equal bytes.
"""

import dataclasses
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclasses.dataclass(frozen=True)
class Image:
    """What an image holds and how it starts; paths are without a leading slash."""

    name: str
    command: Sequence[str]
    files: Mapping[str, bytes]
    links: Mapping[str, str] = dataclasses.field(default_factory=dict)
    folders: Sequence[str] = ()


def write(image: Image, archive: Path) -> None:
    """Write `image` to `archive`."""
    layer = _layer(image)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(_config(image, digest)).encode()
    identity = hashlib.sha256(config).hexdigest()
    manifest = [
        {"Config": f"{identity}.json", "RepoTags": [image.name], "Layers": [f"{digest}/layer.tar"]}
    ]
    with tarfile.open(archive, "w") as tar:
        _add(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
        _add(tar, f"{identity}.json", config, 0o644)
        _add(tar, f"{digest}/layer.tar", layer, 0o644)


def _config(image: Image, layer: str) -> dict[str, object]:
    machine = platform.machine()
    return {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {"Cmd": list(image.command), "Env": ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
    }


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in image.folders:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        for name, content in image.files.items():
            _add(tar, name, content, 0o755)
        for name, target in image.links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, target, 0o777
            tar.addfile(link)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
