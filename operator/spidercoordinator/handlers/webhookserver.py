"""The admission webhook's server, which kopf runs; on when the chart names a configuration.

Nothing depends on it. kopf ends the whole operator when its admission server ends, so this one
never does: it says what hinders it in the log, in /readyz and in the metrics, and tries again. The
reconcilers go on meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

import kopf
from aiohttp import web
from typing_extensions import override

from spidercoordinator.handlers.admission import reviewed
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.crash import brief, restarting
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.certificaterotator import CertificateRotator
from spidercoordinator.runtime.certificatesync import CertificateSync
from spidercoordinator.runtime.logging import StateLogger
from spidercoordinator.runtime.mountedcertificate import MountedCertificate

_FILES_EVERY: Final = 1.0
"""Seconds between two looks at the files that are served."""
_NEVER: Final = 3e8
"""Seconds until kopf would look at them."""
_BACKOFF: Final = Backoff(first=0.5, cap=15.0)
_LARGEST_REVIEW: Final = 16 << 20
"""Bytes: the object before and after, of 3 MiB at the most each, with every character escaped."""
_NOT_YET: Final = "the webhook does not listen yet"


def admission_server(manager: Manager) -> Any:
    """What serves the webhook, for kopf's `settings.admission.server`; without one, nothing."""
    if not manager.context.services.settings.webhook_configuration:
        return _serve_nothing
    manager.context.services.health.webhook_failure = _NOT_YET
    return WebhookServer(manager)


async def _serve_nothing(_: Any) -> AsyncIterator[Any]:
    await asyncio.Event().wait()
    yield


class ServedFiles(Protocol):
    """A certificate and its key as files, whoever renews them."""

    @property
    def certificate_file(self) -> Path:
        """The certificate."""

    @property
    def key_file(self) -> Path:
        """Its key."""

    def ends(self) -> float:
        """When the certificate ends, in seconds since 1970."""


class WebhookServer:
    """See the module. kopf calls it with what answers a review."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        services = manager.context.services
        self._health, self._metrics = services.health, services.metrics
        self._settings = services.settings
        self._state = StateLogger(logging.getLogger(__name__))

    async def __call__(self, answer: Any) -> AsyncGenerator[Any, None]:
        """Serve without end; gives kopf where, each time it listens anew."""
        with tempfile.TemporaryDirectory(prefix="webhook-") as folder:
            async with self._certificate(Path(folder)) as (files, look_again):
                failures = 0
                while True:
                    try:
                        async for config in self._listen(files, answer):
                            failures = 0
                            yield config
                    except Exception as error:  # noqa: BLE001 - the reconcilers must go on
                        self._failed(error)
                        look_again()
                    failures += 1
                    await asyncio.sleep(_BACKOFF.delay(failures))

    async def _listen(self, files: ServedFiles, answer: Any) -> AsyncIterator[Any]:
        context, served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), _digest(files)
        server = _Server(
            port=self._settings.webhook_port,
            context=context,
            certfile=str(files.certificate_file),
            pkeyfile=str(files.key_file),
            file_check_interval=_NEVER,
        )
        listening: Any = server(partial(reviewed, self._manager, answer))
        try:
            config = await anext(listening)
            self._state.over("the webhook answers again")
            self._show(listening=True, failure="")
            yield config
            await _reload(files, context, served)
        finally:
            await listening.aclose()

    @asynccontextmanager
    async def _certificate(
        self, folder: Path
    ) -> AsyncIterator[tuple[ServedFiles, Callable[[], None]]]:
        """Keep the certificate in sync; begins once there is one.

        Gives the files, and what has them looked at again.
        """
        crashes = self._manager.crashes
        sync, files = self._mounted() if self._settings.webhook_certificates else self._own(folder)
        work = restarting("webhook's certificate", sync.run, crashes)
        task = asyncio.create_task(work, name="webhook's certificate")
        try:
            await sync.served.wait()
            yield files, sync.look
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _own(self, folder: Path) -> tuple[CertificateSync, CertificateRotator]:
        rotator = CertificateRotator(
            self._manager.client,  # every replica serves it, also one that does not lead
            self._settings.namespace,
            self._settings.webhook_configuration,
            folder,
        )
        report = partial(self._certificate_is, rotator)
        return CertificateSync(rotator, self._manager.crashes, report), rotator

    def _mounted(self) -> tuple[MountedCertificate, MountedCertificate]:
        def report(failure: str) -> None:
            if mounted.served.is_set():
                # What is wrong with files that were served is the server's to say.
                if not failure:
                    self._metrics.certificate_ends.set(mounted.ends())
            else:
                self._show(listening=False, failure=failure)

        mounted = MountedCertificate(Path(self._settings.webhook_certificates), report)
        return mounted, mounted

    def _certificate_is(self, rotator: CertificateRotator, failure: str) -> None:
        """Where it listens, a certificate that cannot be renewed yet is no reason to go away."""
        if rotator.certificate_file.exists():
            self._metrics.certificate_ends.set(rotator.ends())
        else:
            self._show(listening=False, failure=failure)

    def _failed(self, error: Exception) -> None:
        port = f"port {self._settings.webhook_port} (SPIDERCOORDINATOR_WEBHOOK_PORT)"
        if isinstance(error, ssl.SSLError):
            failure = f"the webhook's certificate cannot be served: {error}"
        elif isinstance(error, OSError) and error.filename:
            failure = f"the webhook's certificate cannot be read: {error}"
        elif isinstance(error, OSError):
            failure = f"the webhook cannot listen on {port}: {error.strerror}"
        else:
            self._manager.crashes.handle("webhook", "the webhook's server", error)
            failure = f"the webhook's server failed: {brief(error)}"
        self._state.log(logging.ERROR, f"{failure}; networks are reconciled all the same")
        self._show(listening=False, failure=failure)

    def _show(self, *, listening: bool, failure: str) -> None:
        self._health.webhook_failure = failure
        self._metrics.webhook_up.set(listening)


async def _reload(files: ServedFiles, context: ssl.SSLContext, served: bytes) -> NoReturn:
    """Serve new files to connections that come, without end.

    kopf closes the port for a moment and opens it anew, and reviews that come then are missed.

    Args:
        files: that are served.
        context: of the server that listens.
        served: digest of the files that it was given.

    Raises:
        OSError: the files cannot be read, or served.
    """
    while True:
        await asyncio.sleep(_FILES_EVERY)
        if (found := _digest(files)) == served:
            continue
        pair = (files.certificate_file, files.key_file)
        # First in another one: two that do not match would leave this one without a key.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*pair)
        context.load_cert_chain(*pair)
        served = found


def _digest(files: ServedFiles) -> bytes:
    """What stands for both files, so that no key is kept in memory."""
    contents = (each.read_bytes() for each in (files.certificate_file, files.key_file))
    return b"".join(sha256(each).digest() for each in contents)


class _Server(kopf.WebhookServer):
    """kopf's, for reviews of any size, and for anybody: the port asks nobody who he is.

    What is no review is answered so, and is not worth a trace in the log.
    """

    @staticmethod
    @override
    async def _serve(fn: Any, request: web.Request) -> web.Response:
        large = request.clone(client_max_size=_LARGEST_REVIEW)
        try:
            return await kopf.WebhookServer._serve(fn, large)  # noqa: SLF001 - kopf offers no other
        except web.HTTPException:
            raise
        except Exception as error:
            raise web.HTTPBadRequest(text=f"no review: {brief(error)}") from error
