"""The webhook's certificate: made here, kept in a Secret, renewed in time, known to the API server.

It is self-signed and its own authority. All replicas use the one in the Secret; a renewed one is
trusted before it is served, and the former one until the next renewal, so that replicas may change
over one after the other. The openssl command makes it: Python can use keys, but not make them.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from spidercoordinator.errors import ApiConflictError, SpiderCoordinatorError
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.resource import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS, Object

logger = logging.getLogger(__name__)

_DAYS: Final = 365
_RENEW_BEFORE: Final = 60 * 24 * 3600
"""Seconds before its end at which a certificate is renewed."""

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
FORMER: Final = "former.crt"


class CertificateError(SpiderCoordinatorError):
    """The openssl command is missing or refuses; there is no webhook then."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the Secret, the files that are served, and the caBundle in step.

    Attributes:
        api: how to ask.
        namespace: of the Secret.
        configuration: name of the ValidatingWebhookConfiguration; the Secret's name, too.
        folder: where the files are written.
    """

    api: Api
    namespace: str
    configuration: str
    folder: Path

    @property
    def certificate_file(self) -> Path:
        """The certificate that is served."""
        return self.folder / CERTIFICATE

    @property
    def key_file(self) -> Path:
        """Its key."""
        return self.folder / KEY

    async def keep(self) -> None:
        """Do it once.

        Raises:
            ApiError: the API server refused, was not reached, or has no such configuration.
            CertificateError: no certificate can be made.
        """
        found = await self.api.get(VALIDATING_WEBHOOK_CONFIGURATIONS, self.configuration)
        names = sorted({host_of(each["clientConfig"]) for each in found.get("webhooks") or ()})
        data = await self._secret(names)
        await self._trust(found, data[CERTIFICATE] + data.get(FORMER, ""))
        # The key first: the server looks at both when either is new.
        self._write(self.key_file, data[KEY])
        self._write(self.certificate_file, data[CERTIFICATE])

    async def _secret(self, names: Sequence[str]) -> Mapping[str, str]:
        found = await self.api.find(SECRETS, self.configuration, self.namespace)
        data = _decoded(found)
        if data and await _good(data[CERTIFICATE], names):
            return data
        made = await make(names, self.folder)
        if data:
            made[FORMER] = data[CERTIFICATE]
        try:
            await self._store(found, made)
        except ApiConflictError:
            # Another replica was first; its certificate is as good.
            return _decoded(await self.api.get(SECRETS, self.configuration, self.namespace))
        logger.info("made a certificate for the webhook", extra={"names": ",".join(names)})
        return made

    async def _store(self, found: Object | None, data: Mapping[str, str]) -> None:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        if found is None:
            meta = {"name": self.configuration, "namespace": self.namespace}
            body = {"metadata": meta, "type": "kubernetes.io/tls", "data": encoded}
            await self.api.create(SECRETS, body, self.namespace)
        else:
            version = found["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": version}, "data": encoded}
            await self.api.patch(SECRETS, self.configuration, self.namespace, patch=patch)

    async def _trust(self, found: Object, authorities: str) -> None:
        bundle = base64.b64encode(authorities.encode()).decode()
        webhooks = [
            {**each, "clientConfig": {**each["clientConfig"], "caBundle": bundle}}
            for each in found.get("webhooks") or ()
        ]
        if webhooks == found.get("webhooks"):
            return
        version = found["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "webhooks": webhooks}
        await self.api.patch(VALIDATING_WEBHOOK_CONFIGURATIONS, self.configuration, patch=patch)

    def _write(self, path: Path, text: str) -> None:
        if path.exists() and path.read_text() == text:
            return
        path.touch(mode=0o600)
        path.write_text(text)


def host_of(client: Mapping[str, Any]) -> str:
    """The name the API server calls a webhook by."""
    if "url" in client:
        return urlsplit(str(client["url"])).hostname or ""
    service = client["service"]
    return f"{service['name']}.{service['namespace']}.svc"


async def make(names: Sequence[str], folder: Path, *, days: int = _DAYS) -> dict[str, str]:
    """A new certificate for these names and its key, as the Secret holds them.

    Raises:
        CertificateError: openssl is missing or refuses.
    """
    alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
    key, certificate = folder / "new.key", folder / "new.crt"
    await _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-sha256", "-days", str(days), "-subj", "/CN=spidercoordinator-webhook"),
        *("-addext", f"subjectAltName={alternatives}", "-addext", "extendedKeyUsage=serverAuth"),
        *("-keyout", str(key), "-out", str(certificate)),
    )
    made = {CERTIFICATE: certificate.read_text(), KEY: key.read_text()}
    key.unlink()
    certificate.unlink()
    return made


async def _good(certificate: str, names: Sequence[str]) -> bool:
    """Whether it lasts for a while and is for all the names."""
    ends = ("x509", "-noout", "-checkend", str(_RENEW_BEFORE))
    if (await _run(*ends, given=certificate))[0]:
        return False
    _, shown = await _run("x509", "-noout", "-ext", "subjectAltName", given=certificate)
    known = shown.replace(",", " ").split()
    prefixes = ("DNS:", "Address:")
    return all(any(f"{prefix}{name}" in known for prefix in prefixes) for name in names)


def _decoded(secret: Object | None) -> dict[str, str]:
    data = (secret or {}).get("data") or {}
    if not {CERTIFICATE, KEY} <= data.keys():
        return {}
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _openssl(*arguments: str) -> str:
    status, output = await _run(*arguments)
    if status:
        raise CertificateError(f"openssl {arguments[0]} failed: {output.strip()}")
    return output


async def _run(*arguments: str, given: str = "") -> tuple[int, str]:
    try:
        process = await asyncio.create_subprocess_exec(
            "openssl",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except FileNotFoundError as error:
        raise CertificateError(
            "the openssl command is not there: install it in the image"
        ) from error
    output, _ = await process.communicate(given.encode())
    return process.returncode or 0, output.decode("utf-8", "replace")
