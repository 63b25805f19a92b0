"""Images by buildah, each from a Containerfile on the testbed's base, as docker-archive files."""

from pathlib import Path

from testbed.images.base import buildah

_OPTIONS = ("--isolation=chroot", "--network=host", "--layers", "--force-rm")


def build(
    containerfile: Path, context: Path, name: str, archive: Path, base: str, *options: str
) -> None:
    """Build an image and write it to `archive`.

    Args:
        containerfile: which begins with `ARG BASE`.
        context: the folder with the files that it copies.
        name: of the image, with its tag.
        archive: the file to write.
        base: the name of the base image (`ensure_base`).
        options: further options of `buildah bud`.

    Raises:
        TestbedError: buildah is missing or fails; the text has the end of its output.
    """
    named = (f"--build-arg=BASE={base}", f"--tag={name}", f"--file={containerfile}")
    buildah("bud", *_OPTIONS, *named, *options, str(context))
    buildah("push", "--quiet", name, f"docker-archive:{archive}:{name}")
