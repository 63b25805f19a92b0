"""The operator's own settings, from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from spidercoordinator.errors import SettingsError

_PREFIX: Final = "SPIDERCOORDINATOR_"
_LEVELS: Final = ("debug", "info", "warning", "error")
_FORMATS: Final = ("json", "text")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True)
class Settings:
    """What the chart, or a shell, told the operator.

    Attributes:
        name: the SpiderCoordinator that takes effect.
        default_ipam: CNI IPAM object for networks that name none.
        namespace: namespace of the operator, for its ConfigMap and Secret.
        http_port: port of /livez, /readyz and /metrics; 0 takes any free one.
        log_level: debug, info, warning or error.
        log_format: json or text.
        cilium_config_map: `(namespace, name)` of Cilium's configuration.
        node_defaults: name of the ConfigMap that the nodes mount.
        webhook_configuration: name of the ValidatingWebhookConfiguration that leads to this
            operator, whose caBundle it keeps; empty for no webhook.
        webhook_port: port of the webhook.
        installer_pods: label selector of the installer's pods in `namespace`, which tell the
            nodes' interfaces to the webhook; empty when they do not.
        lease: name of the Lease, in `namespace`, that the process which works holds; empty to work
            without one, when nobody else does.
        pod: `(name, uid)` of the pod this runs in, each empty when there is none.
    """

    name: str = "default"
    default_ipam: Mapping[str, Any] | None = None
    namespace: str = "default"
    http_port: int = 8080
    log_level: str = "info"
    log_format: str = "json"
    cilium_config_map: tuple[str, str] = ("kube-system", "cilium-config")
    node_defaults: str = "spidercoordinator-node-defaults"
    webhook_configuration: str = ""
    webhook_port: int = 9443
    installer_pods: str = ""
    lease: str = ""
    pod: tuple[str, str] = ("", "")

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the SPIDERCOORDINATOR_* variables; an empty one counts as unset.

        Raises:
            SettingsError: a value cannot be used.
        """
        given = {
            key.removeprefix(_PREFIX): value
            for key, value in environ.items()
            if key.startswith(_PREFIX) and value
        }
        return cls(
            name=given.get("NAME", cls.name),
            default_ipam=_ipam(given.get("DEFAULT_IPAM", '{"type":"spiderpool"}')),
            namespace=given.get("NAMESPACE", cls.namespace),
            http_port=_port(given.get("HTTP_PORT", "8080")),
            log_level=_one_of("LOG_LEVEL", given.get("LOG_LEVEL", cls.log_level), _LEVELS),
            log_format=_one_of("LOG_FORMAT", given.get("LOG_FORMAT", cls.log_format), _FORMATS),
            cilium_config_map=_pair(given.get("CILIUM_CONFIGMAP", "kube-system/cilium-config")),
            node_defaults=given.get("NODE_DEFAULTS_CONFIGMAP", cls.node_defaults),
            webhook_configuration=given.get("WEBHOOK_CONFIGURATION", ""),
            webhook_port=_port(given.get("WEBHOOK_PORT", "9443"), "WEBHOOK_PORT"),
            installer_pods=given.get("INSTALLER_PODS", ""),
            lease=given.get("LEASE", ""),
            pod=(given.get("POD_NAME", ""), given.get("POD_UID", "")),
        )


def _refuse(variable: str, value: str, allowed: str) -> SettingsError:
    return SettingsError(f"{_PREFIX}{variable} is {value!r}: allowed is {allowed}")


def _ipam(value: str) -> Mapping[str, Any]:
    allowed = 'a CNI IPAM object as JSON, such as {"type":"host-local"}'
    try:
        parsed = json.loads(value)
    except ValueError as error:
        raise _refuse("DEFAULT_IPAM", value, allowed) from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("type"), str):
        raise _refuse("DEFAULT_IPAM", value, allowed)
    return parsed


def _port(value: str, variable: str = "HTTP_PORT") -> int:
    if not value.isdecimal() or int(value) > _HIGHEST_PORT:
        raise _refuse(variable, value, "a number from 0 (any free port) to 65535")
    return int(value)


def _one_of(variable: str, value: str, allowed: tuple[str, ...]) -> str:
    if value.lower() not in allowed:
        raise _refuse(variable, value, ", ".join(allowed))
    return value.lower()


def _pair(value: str) -> tuple[str, str]:
    namespace, slash, name = value.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise _refuse("CILIUM_CONFIGMAP", value, "namespace/name")
    return namespace, name
