"""Read a docker-archive, as buildah writes it."""

from __future__ import annotations

import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Archive:
    """An image in a file."""

    path: Path

    def layers(self) -> list[str]:
        """The digests of the layers' content, the lowest first; buildah names files by them."""
        with tarfile.open(self.path) as archive:
            handle = archive.extractfile("manifest.json")
            assert handle is not None
            names: list[str] = json.load(handle)[0]["Layers"]
        return [name.removesuffix(".tar") for name in names]

    def size(self) -> int:
        """The bytes of all layers, uncompressed."""
        with tarfile.open(self.path) as archive:
            return sum(archive.getmember(f"{layer}.tar").size for layer in self.layers())

    def unpack(self, folder: Path) -> None:
        """Make `folder` the root that a container of the image starts with."""
        for layer in self.layers():
            subprocess.run(
                ["tar", "--extract", "--file", str(self.path), "-C", str(folder), f"{layer}.tar"],
                check=True,
            )
            file = folder / f"{layer}.tar"
            subprocess.run(
                ["tar", "--extract", "--same-owner", "--file", str(file), "-C", str(folder)],
                check=True,
            )
            file.unlink()
