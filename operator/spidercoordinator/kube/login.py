"""How the operator proves who it is, for as long as it runs.

A projected service account token lives for about an hour: it is read again from its file, and a
401 makes the whole login be read again (a rotated token, a kubeconfig whose exec plugin gives a
new one). Both our own client and kopf's sessions get the same middleware, so neither goes stale.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from spidercoordinator.api.yamltext import parse
from spidercoordinator.errors import LoginError

logger = logging.getLogger(__name__)

_UNAUTHORIZED: Final = 401
_UNUSABLE: Final = (
    ConfigException,
    OSError,
    yaml.YAMLError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
"""What the reader of kubeconfigs raises where one is not of the form it expects."""
_RELOAD_EVERY: Final = 5.0
"""Seconds between two reloads of the login, so that a wrong token makes no hot loop."""


class Login:
    """Address, trust and identity for one API server.

    Attributes:
        configuration: of the `kubernetes` package.
        requested: is called after each request, with its method and the status code of the answer,
            `<error>` where there was none, as client-go's metrics name it.
        personal: whether a person asks, with a kubeconfig; advice is then for that person.
        namespace: of the kubeconfig's context, empty when that names none.
    """

    def __init__(
        self,
        configuration: Configuration,
        kubeconfig: str,
        context: str = "",
        *,
        personal: bool = False,
        namespace: str = "",
    ) -> None:
        self.configuration = configuration
        self.requested: Callable[[str, str], None] = lambda _method, _code: None
        self.personal = personal
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._context = context
        self._reloaded = time.monotonic()
        # Lists and watches are long, requests are small: one pool serves both.
        # The environment's proxy is looked up here, once: aiohttp would ask two threads about it at
        # every single request.
        configuration.proxy = configuration.proxy or environment_proxy(str(configuration.host))
        configuration.client_session_kwargs = {
            "middlewares": (self._authenticate,),
            "trust_env": False,
        }

    @classmethod
    async def find(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        kubeconfig: str = "",
        context: str = "",
        personal: bool = False,
    ) -> Login:
        """Log in with $KUBECONFIG, the pod's service account, or ~/.kube/config, in this order.

        Args:
            environ: the environment.
            kubeconfig: file, or files as in $KUBECONFIG, to log in with instead.
            context: of the kubeconfig; empty: its current one.
            personal: whether a person asks, and not the operator.

        Raises:
            LoginError: none of them can be used.
        """
        home = Path.home() / ".kube" / "config"
        kubeconfig = kubeconfig or environ.get("KUBECONFIG", "")
        in_pod = "KUBERNETES_SERVICE_HOST" in environ and not context
        if not kubeconfig and not in_pod:
            if not home.exists():
                raise LoginError(
                    "no API server to log in to: KUBECONFIG is not set, this is no pod with a "
                    f"service account, and {home} does not exist"
                )
            kubeconfig = str(home)
        configuration = Configuration()
        namespace = await _load(configuration, kubeconfig, context)
        with _explained(kubeconfig):
            return cls(
                configuration,
                kubeconfig,
                context,
                personal=personal and bool(kubeconfig),
                namespace=namespace,
            )

    @property
    def server(self) -> str:
        """Base URL of the API server."""
        return str(self.configuration.host)

    def api_client(self) -> ApiClient:
        """A client of the `kubernetes` package.

        Raises:
            LoginError: the login's certificates cannot be used.
        """
        with _explained(self._kubeconfig):
            return ApiClient(self.configuration)

    def session(
        self, client: ApiClient, *middlewares: aiohttp.ClientMiddlewareType
    ) -> aiohttp.ClientSession:
        """A session of its own for kopf: same trust, same identity, closed by whoever gets it.

        Args:
            client: whose trust it has.
            middlewares: what else its requests pass through.
        """
        connector = aiohttp.TCPConnector(limit=0, ssl=client.rest_client.ssl_context)
        return aiohttp.ClientSession(
            connector=connector,
            middlewares=(*middlewares, self._expect_name, self._authenticate),
            proxy=self.configuration.proxy,
        )

    async def _authenticate(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        response = await self._send(request, handler)
        if response.status != _UNAUTHORIZED or not await self._reload():
            return response
        response.release()
        return await self._send(request, handler)

    async def _expect_name(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Expect the certificate to be of the kubeconfig's tls-server-name, if it has one."""
        request.server_hostname = self.configuration.tls_server_name or None
        return await handler(request)

    async def _send(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        await self._sign(request)
        try:
            response = await handler(request)
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.requested(request.method, "<error>")
            raise
        self.requested(request.method, str(response.status))
        return response

    async def _sign(self, request: aiohttp.ClientRequest) -> None:
        value = await self.configuration.get_api_key_with_prefix(
            "BearerToken", alias="authorization"
        )
        if value:
            request.headers["Authorization"] = value

    async def _reload(self) -> bool:
        if time.monotonic() - self._reloaded < _RELOAD_EVERY:
            return False
        self._reloaded = time.monotonic()
        logger.info("the API server does not accept the login any more, reading it again")
        try:
            await _load(self.configuration, self._kubeconfig, self._context)
        except LoginError as error:
            # It is being written anew, or a volume is not mounted for a moment: the answer stands,
            # and the next one is asked with what can be read then.
            logger.warning("what was read before stays in use: %s", error)
            return False
        return True


def environment_proxy(server: str) -> str | None:
    """The proxy that HTTPS_PROXY and NO_PROXY ask for, None to go straight.

    NO_PROXY may hold CIDRs, as Go programs read it: the API server's ClusterIP is often in one.
    """
    url = urlsplit(server)
    host = url.hostname or ""
    proxies = getproxies()
    if proxy_bypass(host) or any(_within(host, each) for each in proxies.get("no", "").split(",")):
        return None
    return proxies.get(url.scheme)


def _within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network.strip(), strict=False)
    except ValueError:
        return False


async def _load(configuration: Configuration, kubeconfig: str, context: str) -> str:
    """Fill in the configuration; gives the namespace of the context."""
    with _explained(kubeconfig):
        if not kubeconfig:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            return ""
        loader: Any = await load_kube_config(  # type: ignore[no-untyped-call]
            config_file=kubeconfig,
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )
        return str(loader.current_context["context"].get("namespace") or "")


def _unreadable(kubeconfig: str) -> str:
    """Whether files are missing, empty or no YAML, which their reader tells in Python's words.

    As with kubectl, one of several may be missing. Empty where there is another reason.
    """
    paths = [Path(each).expanduser() for each in kubeconfig.split(os.pathsep) if each]
    found = [path for path in paths if path.exists()]
    if not found:
        return "there is no such file"
    with suppress(OSError, UnicodeDecodeError):
        for path in found:
            if why := _why_unreadable(path.read_text()):
                return f"{'it' if len(paths) == 1 else path} {why}"
    return ""


def _why_unreadable(text: str) -> str:
    try:
        return "is empty" if parse(text) is None else ""
    except ValueError as error:
        return f"is no YAML: {error}"


@contextmanager
def _explained(kubeconfig: str) -> Iterator[None]:
    """Name the kubeconfig in what goes wrong with it: its reader checks nothing of its form."""
    try:
        yield
    except _UNUSABLE as error:
        where = f"kubeconfig {kubeconfig}" if kubeconfig else "the pod's service account"
        why = " ".join(str(error).split()) or "it is not of a kubeconfig's form"
        if not isinstance(error, ConfigException | OSError | yaml.YAMLError):
            why = f"it is not of a kubeconfig's form ({type(error).__name__}: {why})"
        if kubeconfig:
            why = _unreadable(kubeconfig) or why
        raise LoginError(f"cannot log in with {where}: {why}") from error
