"""An OCI registry on loopback, which forgets all when it ends."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed import paths

MODULE = paths.PROJECT / "tools" / "release"
PROGRAM = "github.com/google/go-containerregistry/cmd/registry"


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run one, built into `folder`; gives its address, HOST:PORT."""
    program = folder / "registry"
    subprocess.run(["go", "build", "-o", program, PROGRAM], check=True, cwd=MODULE)
    with subprocess.Popen([program, "-port", "0"], stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            said = server.stderr.readline()
            port = re.search(r"port:? (\d+)", said)
            assert port is not None, said
            yield f"127.0.0.1:{port[1]}"
        finally:
            server.terminate()
