"""The files of a release: all there, usable, and the same bytes when they are made again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from elftools.elf.elffile import ELFFile

from testbed import binaries
from tests.images.registry import registry
from tools.release import artifacts
from tools.release.__main__ import version

URL = "https://example.com/releases/download/v0"
VERSION = version(artifacts.ROOT)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    artifacts.build(folder, URL, VERSION)
    return folder


def test_made_again_they_are_the_same(files: Path, tmp_path: Path) -> None:
    artifacts.build(tmp_path / "again", URL, VERSION)
    assert artifacts.checksums(tmp_path / "again") == (files / "SHA256SUMS").read_text()


def test_all_that_is_released_is_there(files: Path) -> None:
    found = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    assert found == {
        *("SHA256SUMS", "crds.yaml", f"spidercoordinator-{VERSION}.tgz"),
        *("sbom-operator.cdx.json", "sbom-cni.cdx.json"),
        *("kubectl-spidercoordinator.yaml", "kubectl-spidercoordinator.tar.gz"),
        *(f"spidercoordinator-cni-linux-{platform}.tar.gz" for platform in ("amd64", "arm64")),
        f"python/spidercoordinator-{VERSION}-py3-none-any.whl",
        f"python/spidercoordinator-{VERSION}.tar.gz",
    }


def test_their_names_are_enough_to_tell_them_apart(files: Path) -> None:
    names = [path.name for path in files.rglob("*") if path.is_file()]
    assert len(names) == len(set(names))


def test_helm_renders_the_packed_chart(files: Path) -> None:
    shown = subprocess.run(
        [binaries.helm(), "show", "chart", files / f"spidercoordinator-{VERSION}.tgz"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert yaml.safe_load(shown.stdout)["version"] == VERSION


def test_the_chart_is_pushed_and_pulled_by_a_registry(files: Path, tmp_path: Path) -> None:
    helm, packed = str(binaries.helm()), files / f"spidercoordinator-{VERSION}.tgz"
    folder = tmp_path / "pulled"
    folder.mkdir()
    with registry(tmp_path) as address:
        charts = f"oci://{address}/charts"
        pushed = subprocess.run(
            [helm, "push", str(packed), charts, "--plain-http"],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # As the workflow reads it, to attest what was pushed.
        [digest] = re.findall(r"^Digest: *(.*)$", pushed.stdout, re.MULTILINE)
        subprocess.run(
            [
                *(helm, "pull", f"{charts}/spidercoordinator@{digest}", "--plain-http"),
                *("--destination", str(folder)),
            ],
            check=True,
            capture_output=True,
        )
    [pulled] = folder.iterdir()
    assert pulled.read_bytes() == packed.read_bytes()


@pytest.mark.parametrize(("platform", "machine"), [("amd64", "EM_X86_64"), ("arm64", "EM_AARCH64")])
def test_plugins_are_programs_of_their_platform(files: Path, platform: str, machine: str) -> None:
    with tarfile.open(files / f"spidercoordinator-cni-linux-{platform}.tar.gz") as tar:
        for name in artifacts.PLUGINS:
            handle = tar.extractfile(name)
            assert handle is not None
            assert ELFFile(BytesIO(handle.read())).header["e_machine"] == machine
            assert tar.getmember(name).mode == 0o755


def test_krew_is_led_to_the_archive_by_its_hash(files: Path) -> None:
    manifest = yaml.safe_load((files / "kubectl-spidercoordinator.yaml").read_text())
    [platform] = manifest["spec"]["platforms"]
    assert platform["uri"] == f"{URL}/kubectl-spidercoordinator.tar.gz"
    assert (
        f"{platform['sha256']}  kubectl-spidercoordinator.tar.gz\n"
        in (files / "SHA256SUMS").read_text()
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("sbom-operator.cdx.json", {"kopf", "kubernetes", "aiohttp"}),
        (
            "sbom-cni.cdx.json",
            {"github.com/vishvananda/netlink", "github.com/containernetworking/cni"},
        ),
    ],
)
def test_contents_name_what_is_inside_and_its_version(
    files: Path, name: str, wanted: set[str]
) -> None:
    document = json.loads((files / name).read_text())
    assert document["bomFormat"] == "CycloneDX"
    components = {component["name"]: component for component in document["components"]}
    assert wanted <= set(components)
    assert all(component["version"] for component in components.values())
    assert "pytest" not in components


def test_the_source_distribution_holds_the_package_and_not_the_clone(files: Path) -> None:
    with tarfile.open(files / f"python/spidercoordinator-{VERSION}.tar.gz") as tar:
        names = {name.split("/")[1] for name in tar.getnames()}
    # pyproject.toml makes the wheel; hatchling adds .gitignore, which says what it left out.
    assert names == {
        *("operator", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", ".gitignore"),
    }


def test_the_python_package_brings_the_kubectl_plugin(files: Path, tmp_path: Path) -> None:
    [wheel] = (files / "python").glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path, "zip")
    [points] = tmp_path.glob("*.dist-info/entry_points.txt")
    assert "kubectl-spidercoordinator = spidercoordinator.cli.main:main" in points.read_text()
