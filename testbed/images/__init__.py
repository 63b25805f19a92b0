"""The images of the testbed, as docker-archive files ready to import into containerd.

- pause: what holds a pod's namespaces.
- box: busybox, the redirect listener and its client `fetch`, the stand-in for a mesh's proxies, for
  test pods.
- the product's two images, built from the project's own Dockerfile as a user's
  `docker build` would, on bases that need no image registry.

Each is cached by the content of what goes in. `python -m testbed.images box` prints
a path, for clusters that this testbed did not make.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

from testbed import built, cache, gobuild, paths
from testbed.errors import TestbedError
from testbed.images.archive import Image, write
from testbed.images.base import buildah, ensure_base

PAUSE = "localhost/spidercoordinator-testbed/pause:1"
"""The name of the pause image, as containerd's sandbox_image has it."""

BOX = "localhost/spidercoordinator-testbed/box:1"
"""The name of the test box."""

PRODUCT = ("operator", "cni")
"""The targets of the Dockerfile, which are also the last part of the images' names."""

_PRODUCT_INPUTS = (
    "Dockerfile",
    ".dockerignore",
    "pyproject.toml",
    "uv.lock",
    "README.md",
    "LICENSE",
)
_PRODUCT_FOLDERS = ("operator", "cni", "tools/image")
_LDFLAGS = ("-s", "-w")
_MOST_LAYERS = 100


def ensure_pause() -> Path:
    """Return the archive of the pause image.

    Raises:
        TestbedError: busybox is missing.
    """
    image = Image(
        name=PAUSE,
        command=("/bin/busybox", "sleep", "2147483647"),
        files={"bin/busybox": busybox().read_bytes()},
    )
    return _archive("pause", image)


def ensure_box() -> Path:
    """Return the archive of the test box.

    Raises:
        TestbedError: busybox or Go is missing, or a program does not build.
    """
    listener = go_binary("redirect-listener")
    image = Image(
        name=BOX,
        command=("/bin/sh",),
        files={
            "bin/busybox": busybox().read_bytes(),
            "bin/redirect-listener": listener.read_bytes(),
            "bin/mesh-proxy": go_binary("mesh-proxy").read_bytes(),
        },
        links={
            **{f"bin/{name}": "busybox" for name in applets() if name != "busybox"},
            "bin/fetch": "redirect-listener",
        },
        folders=("etc", "root", "tmp", "var", "var/run"),
    )
    return _archive("box", image)


def go_binary(module: str) -> Path:
    """Return the program of one of the testbed's small Go modules, e.g. `istio-iptables`.

    Raises:
        TestbedError: Go is missing or the build fails.
    """
    if (elsewhere := built.folder()) is not None:
        return elsewhere / module
    folder = paths.SOURCES / module
    toolchain = gobuild.toolchain()
    key = cache.key_of(toolchain, *_LDFLAGS, *_content(folder), *_replaced(folder))
    home = cache.entry(
        module, key, lambda target: gobuild.build(folder, ".", target / module, _LDFLAGS, module)
    )
    return home / module


def version() -> str:
    """Return the project's version, which is the tag of its images."""
    with (paths.PROJECT / "pyproject.toml").open("rb") as handle:
        number: str = tomllib.load(handle)["project"]["version"]
    return number


def product_name(target: str) -> str:
    """Return the name under which the testbed loads an image of the product."""
    return f"localhost/spidercoordinator/{target}:{version()}"


def build_product() -> tuple[Path, ...]:
    """Return the archives of the product's images, in the order of `PRODUCT`.

    Raises:
        TestbedError: a tool is missing or the build fails; the text has its output.
    """
    base = ensure_base()
    key = cache.key_of(base, gobuild.toolchain(), *_product_content())
    home = cache.entry("product", key, _build_product)
    return tuple(home / f"{target}.tar" for target in PRODUCT)


def _build_product(folder: Path) -> None:
    print("images: building operator and cni from the Dockerfile", flush=True)
    started = time.monotonic()
    for target in PRODUCT:
        build_target(paths.PROJECT, target, product_name(target), "--layers")
        archive = f"docker-archive:{folder / target}.tar:{product_name(target)}"
        buildah("push", "--quiet", product_name(target), archive)
        print(f"  {target} after {time.monotonic() - started:.0f} s", flush=True)
    _bound_layers()


def build_target(sources: Path, target: str, tag: str, *options: str) -> None:
    """Build a target of the Dockerfile in `sources` into the testbed's storage, as `tag`.

    Raises:
        TestbedError: a tool is missing or the build fails; the text has its output.
    """
    base = ensure_base()
    volumes = [f"--volume={source}:{inside}" for source, inside in _go_volumes().items()]
    with _alone():
        buildah(
            "bud",
            "--isolation=chroot",
            "--network=host",
            "--force-rm",
            # All files get this time: the layers depend on what is built and not on when.
            "--timestamp=0",
            f"--build-arg=BASE={base}",
            f"--build-arg=GO_IMAGE={base}",
            f"--target={target}",
            *(volumes if target == "cni" else []),
            *options,
            f"--tag={tag}",
            str(sources),
        )


def _bound_layers() -> None:
    """Drop buildah's cached layers when there are many: they make the next build faster."""
    with _alone():
        layers = buildah("images", "--all", "--quiet", "--filter=dangling=true").split()
        if len(layers) > _MOST_LAYERS:
            buildah("rmi", "--prune")


def _alone() -> contextlib.AbstractContextManager[None]:
    """Keep others from building: what a build has made so far looks like layers of no use."""
    return cache.locked(
        paths.cache_dir() / "build.lock", "images: another process builds one, waiting"
    )


def _go_volumes() -> dict[Path, str]:
    """Return what the Go stage borrows from the machine: toolchain, modules, build cache.

    A user's build has them in the Go image and downloads the modules.
    """
    _go("mod", "download")
    root, modules, build = _go("env", "GOROOT", "GOMODCACHE", "GOCACHE").split("\n")[:3]
    return {
        Path(root): "/usr/local/go:ro",
        Path(modules): "/go/pkg/mod",
        Path(build): "/root/.cache/go-build",
    }


def _go(*arguments: str) -> str:
    done = subprocess.run(
        ["go", *arguments],
        cwd=paths.PROJECT / "cni",
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "GOFLAGS": ""},
    )
    if done.returncode:
        raise TestbedError(f"go {' '.join(arguments)} in cni/ failed: {done.stderr.strip()}")
    return done.stdout


def _product_content() -> list[str | bytes | Path]:
    content: list[str | bytes | Path] = [paths.PROJECT / name for name in _PRODUCT_INPUTS]
    for name in _PRODUCT_FOLDERS:
        content += _content(paths.PROJECT / name)
    return content


def _content(folder: Path) -> list[str | bytes | Path]:
    """Return names and files below `folder`, in a fixed order, without Python's caches."""
    found: list[str | bytes | Path] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found += [str(path.relative_to(folder)), path]
    return found


def _replaced(module: Path) -> list[str | bytes | Path]:
    """Return the same of the modules beside it that a Go module is built with."""
    folders = re.findall(r"=> (\.\./\S+)", (module / "go.mod").read_text())
    return [part for folder in folders for part in _content((module / folder).resolve())]


def _archive(kind: str, image: Image) -> Path:
    links = [f"{name}={target}" for name, target in image.links.items()]
    parts = [image.name, *image.command, *links, *image.folders]
    for name, content in image.files.items():
        parts.append(name)
        parts.append(cache.key_of(content))
    writer = paths.SOURCES / "images" / "archive.py"
    home = cache.entry(
        kind, cache.key_of(writer, *parts), lambda folder: write(image, folder / f"{kind}.tar")
    )
    return home / f"{kind}.tar"


def busybox() -> Path:
    """Return the program that images have their commands from.

    Raises:
        TestbedError: it is not installed.
    """
    found = shutil.which("busybox")
    if found is None:
        raise TestbedError("busybox is missing: apt-get install busybox-static")
    return Path(found).resolve()


def applets() -> list[str]:
    """Return the names of the commands that busybox has, each a link to it in an image."""
    done = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True)
    return done.stdout.split()
