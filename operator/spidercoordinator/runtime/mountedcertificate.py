"""A certificate of the webhook that somebody else makes, renews and has trusted, as cert-manager.

The kubelet mounts its Secret and renews the files a while after the Secret; the server looks at
them itself. Nothing of it is written here, neither a Secret nor the caBundle.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from spidercoordinator.runtime.logging import StateLogger

_LOOK_EVERY: Final = 1.0
"""Seconds between two looks while there is nothing to serve."""
_LOOK_AGAIN: Final = 60.0
"""Seconds between two looks afterwards, for the certificate's end."""


@dataclass(slots=True)
class MountedCertificate:
    """Waits for the files, and says what is wrong with them.

    Attributes:
        folder: where tls.crt and tls.key are, as in a Secret of type kubernetes.io/tls.
        report: is called after each look with what hinders it, empty for nothing.
        served: set once there are files to serve.
    """

    folder: Path
    report: Callable[[str], None]
    served: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _state: StateLogger = field(default_factory=lambda: StateLogger(logging.getLogger(__name__)))

    @property
    def certificate_file(self) -> Path:
        """The certificate that is served."""
        return self.folder / "tls.crt"

    @property
    def key_file(self) -> Path:
        """Its key."""
        return self.folder / "tls.key"

    def ends(self) -> float:
        """When the certificate ends, in seconds since 1970."""
        from spidercoordinator.runtime import certificates  # noqa: PLC0415 - it costs memory

        # Beside the certificates others may write what they like, in any encoding.
        text = self.certificate_file.read_text(encoding="ascii", errors="replace")
        return certificates.not_after(text).timestamp()

    def look(self) -> None:
        """Look again soon: the files may be gone."""
        self._changed.set()

    async def run(self) -> None:
        """Look without end."""
        while True:
            self._changed.clear()
            failure = self._failure()
            if failure:
                self._state.log(logging.WARNING, failure)
            else:
                self._state.over("the webhook's certificate can be served")
                self.served.set()
            self.report(failure)
            try:
                async with asyncio.timeout(_LOOK_EVERY if failure else _LOOK_AGAIN):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _failure(self) -> str:
        """Why the files cannot be served; empty when they can."""
        for path in (self.certificate_file, self.key_file):
            if not path.exists():
                advice = "see whether cert-manager runs, and describe its Certificate"
                return f"the webhook's certificate is not there yet: {path} is missing; {advice}"
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate_file, self.key_file)
        except (ssl.SSLError, OSError) as error:
            return f"the webhook's certificate in {self.folder} cannot be served: {error}"
        return ""
