"""The webhook's certificate: kept in a Secret, renewed in time, known to the API server.

It is self-signed and its own authority. All replicas serve the one in the Secret; a renewed one is
trusted before it is served, and the former one until the next renewal, so that replicas may change
over one after the other. `certificatesync` calls this whenever Secret or configuration change.

Nothing is remembered between two passes: each reads the configuration, then the Secret, and writes
either only with the resourceVersion it was read with. So whatever a pass writes follows from the
newest state, and what another replica wrote meanwhile is never undone; the API server refuses, and
the pass is begun again.
"""

from __future__ import annotations

import base64
import logging
import secrets
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from spidercoordinator.errors import ApiConflictError
from spidercoordinator.kube.client import FIELD_MANAGER, Client
from spidercoordinator.kube.resource import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS, Object

logger = logging.getLogger(__name__)

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
FORMER: Final = "former.crt"

_ATTEMPTS: Final = 3
"""Passes tried while another replica writes, too; as client-go's RetryOnConflict."""


@dataclass(frozen=True, slots=True)
class CertificateRotator:
    """Keeps the Secret, the files that are served, and the caBundle in sync.

    Attributes:
        client: the way to the API server.
        namespace: of the Secret.
        configuration: name of the ValidatingWebhookConfiguration; the Secret's name, too.
        folder: where the files are written.
    """

    client: Client
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

    async def sync(self) -> bool:
        """Bring all of them in sync once; whether something had to be written to the API server.

        Raises:
            ApiError: the API server refused, was not reached, or has no such configuration.
            CertificateError: no certificate can be made.
        """
        for _ in range(_ATTEMPTS - 1):
            with suppress(ApiConflictError):
                return await self._sync()
        return await self._sync()

    async def _sync(self) -> bool:
        found = await self.client.get(VALIDATING_WEBHOOK_CONFIGURATIONS, self.configuration)
        names = sorted({server_name(each["clientConfig"]) for each in found.get("webhooks") or ()})
        data, renewed = await self._sync_secret(names, marks(found))
        trusted = await self._sync_ca_bundle(found, data[CERTIFICATE] + data.get(FORMER, ""))
        # The key first: the server looks at both when either is new.
        _write(self.key_file, data[KEY])
        _write(self.certificate_file, data[CERTIFICATE])
        return renewed or trusted

    def ends(self) -> float:
        """When the served certificate ends, in seconds since 1970."""
        from spidercoordinator.runtime import certificates  # noqa: PLC0415 - as below

        return certificates.not_after(self.certificate_file.read_text()).timestamp()

    async def _sync_secret(
        self, names: Sequence[str], meta: Object
    ) -> tuple[Mapping[str, str], bool]:
        """Give the data of the Secret, and whether they had to be renewed.

        Args:
            names: that the certificate is for.
            meta: labels and annotations of a Secret that has to be made.
        """
        # Only here, where the webhook is on: it costs memory.
        from spidercoordinator.runtime import certificates  # noqa: PLC0415

        now = datetime.now(UTC)
        secret = await self.client.find(SECRETS, self.configuration, self.namespace)
        data = decoded(secret)
        for key in (CERTIFICATE, FORMER):
            # What is trusted goes into the caBundle.
            if not certificates.is_certificate(data.get(key, "")):
                data.pop(key, None)
        reason = "there is none"
        if CERTIFICATE in data:
            pair = certificates.KeyPair(data[CERTIFICATE], data.get(KEY, ""))
            reason = certificates.renewal_reason(pair, names, now) or self._refusal(data)
        if not reason:
            return data, False
        made = certificates.self_signed(names, now)
        renewed = {CERTIFICATE: made.certificate, KEY: made.private_key}
        former = data.get(CERTIFICATE) or self._served()
        if former:
            renewed[FORMER] = former
        await self._store(secret, renewed, meta)
        why = {"object": SECRETS.describe(self.namespace, self.configuration), "reason": reason}
        logger.info("made a certificate for %s", ", ".join(names) or "no name", extra=why)
        return renewed, True

    def _refusal(self, data: Mapping[str, str]) -> str:
        """Why the TLS library would not serve the pair, such as a weak key; empty when it would."""
        certificate, key = self.folder / "candidate.crt", self.folder / "candidate.key"
        _write(key, data[KEY])
        _write(certificate, data[CERTIFICATE])
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
        except (ssl.SSLError, OSError) as error:
            return f"it cannot be served: {error}"
        finally:
            key.unlink()
            certificate.unlink()
        return ""

    def _served(self) -> str:
        """The certificate that is served: trusted for a while after somebody deleted the Secret."""
        return self.certificate_file.read_text() if self.certificate_file.exists() else ""

    async def _store(self, secret: Object | None, data: Mapping[str, str], meta: Object) -> None:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        if secret is None:
            meta = {**meta, "name": self.configuration, "namespace": self.namespace}
            body = {"metadata": meta, "type": "Opaque", "data": encoded}
            # Under another name for each: what another replica made meanwhile is a conflict.
            manager = f"{FIELD_MANAGER}-{secrets.token_hex(4)}"
            await self.client.apply(SECRETS, body, force=False, manager=manager)
        else:
            version = secret["metadata"]["resourceVersion"]
            # A former certificate that was no good must not stay beside the new one.
            patch = {
                "metadata": {"resourceVersion": version},
                "data": {FORMER: None, **encoded},
            }
            await self.client.patch(SECRETS, self.configuration, self.namespace, patch=patch)

    async def _sync_ca_bundle(self, found: Object, authorities: str) -> bool:
        bundle = base64.b64encode(authorities.encode()).decode()
        webhooks = [
            {**each, "clientConfig": {**each["clientConfig"], "caBundle": bundle}}
            for each in found.get("webhooks") or ()
        ]
        if not webhooks or webhooks == found["webhooks"]:
            return False
        version = found["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "webhooks": webhooks}
        await self.client.patch(VALIDATING_WEBHOOK_CONFIGURATIONS, self.configuration, patch=patch)
        what = VALIDATING_WEBHOOK_CONFIGURATIONS.describe(name=self.configuration)
        logger.info("wrote the caBundle", extra={"object": what})
        return True


def marks(found: Object) -> Object:
    """Labels and annotations by which helm knows an object of its release.

    A Secret without them would stand in the way of the next installation.
    """
    given: Object = found.get("metadata") or {}
    labels = {
        key: text
        for key, text in (given.get("labels") or {}).items()
        if key.startswith("app.kubernetes.io/")
    }
    annotations = {
        key: text
        for key, text in (given.get("annotations") or {}).items()
        if key.startswith("meta.helm.sh/")
    }
    return {"labels": labels, "annotations": annotations}


def server_name(client_config: Mapping[str, Any]) -> str:
    """The name the API server calls a webhook by."""
    if "url" in client_config:
        return urlsplit(str(client_config["url"])).hostname or ""
    service = client_config["service"]
    return f"{service['name']}.{service['namespace']}.svc"


def decoded(secret: Object | None) -> dict[str, str]:
    """The texts in a Secret, without what is none: a rubbish value counts as a missing one."""
    texts: dict[str, str] = {}
    for key, encoded in ((secret or {}).get("data") or {}).items():
        with suppress(ValueError):
            texts[key] = base64.b64decode(encoded, validate=True).decode()
    return texts


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
