"""Archives that containerd and docker accept: layout, digests, equal bytes for equal content."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from testbed.images.archive import Image, write

IMAGE = Image(
    name="localhost/test/box:1",
    command=("/bin/sh",),
    files={"bin/busybox": b"#!/bin/true\n"},
    links={"bin/sh": "busybox"},
    folders=("tmp",),
)


def _members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar.getmembers()}


def _content(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read()


def test_manifest_leads_to_configuration_and_layer(tmp_path: Path) -> None:
    write(IMAGE, tmp_path / "box.tar")
    archive = (tmp_path / "box.tar").read_bytes()
    [manifest] = json.loads(_content(archive, "manifest.json"))
    config = _content(archive, manifest["Config"])
    [layer] = (_content(archive, name) for name in manifest["Layers"])
    assert manifest["RepoTags"] == ["localhost/test/box:1"]
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["config"]["Cmd"] == ["/bin/sh"]
    assert json.loads(config)["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(layer).hexdigest()}"
    ]


def test_layer_holds_programs_links_and_folders(tmp_path: Path) -> None:
    write(IMAGE, tmp_path / "box.tar")
    archive = (tmp_path / "box.tar").read_bytes()
    [manifest] = json.loads(_content(archive, "manifest.json"))
    layer = _content(archive, manifest["Layers"][0])
    members = _members(layer)
    assert members["bin/busybox"].mode == 0o755
    assert members["bin/sh"].linkname == "busybox"
    assert members["tmp"].isdir()
    assert _content(layer, "bin/busybox") == b"#!/bin/true\n"


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    write(IMAGE, tmp_path / "one.tar")
    write(IMAGE, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
