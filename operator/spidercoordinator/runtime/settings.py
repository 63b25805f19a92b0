"""The operator's own settings, from the environment, by pydantic-settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from spidercoordinator.errors import SettingsError
from spidercoordinator.runtime.duration import parse_duration
from spidercoordinator.runtime.leaderelection.lease import LeaderElectionConfig

_PREFIX: Final = "SPIDERCOORDINATOR_"

_SERVICE_LINK: Final = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)=.*"
    r"|(\w+_)?PORT=(tcp|udp|sctp)://.*"
)
"""What the kubelet sets for a Service whose name begins with ours, as `name=value`."""
_JITTERED: Final = 1.2
"""How much longer than the retry period two tries may be apart, as a factor."""
_LEASE_TIMES: Final = (
    "leader_elect_lease_duration",
    "leader_elect_renew_deadline",
    "leader_elect_retry_period",
)
_IPAM_ALLOWED: Final = 'a CNI IPAM object as JSON, such as {"type":"dhcp"}, or {} for none'


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _parse_ipam(value: Any) -> Any:
    parsed = json.loads(value) if isinstance(value, str) else value
    named = isinstance(parsed, Mapping) and isinstance(parsed.get("type"), str) and parsed["type"]
    if parsed != {} and not named:
        raise ValueError("no IPAM object")
    return parsed


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _split_list(value: Any) -> Any:
    return tuple(each.strip() for each in value.split(",")) if isinstance(value, str) else value


def _split_name(value: Any) -> Any:
    return tuple(value.split("/")) if isinstance(value, str) else value


# Each type says what it allows: the message about a value that it refuses ends with that.
Port = Annotated[int, Field(ge=0, le=65535, description="a number from 0 (any free port) to 65535")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(_lower),
    Field(description="debug, info, warning, error"),
]
LogFormat = Annotated[
    Literal["json", "text"], BeforeValidator(_lower), Field(description="json, text")
]
IPAM = Annotated[
    Mapping[str, Any],
    NoDecode,
    BeforeValidator(_parse_ipam),
    Field(description=_IPAM_ALLOWED),
]
Concurrency = Annotated[int, Field(ge=1, le=256, description="a number from 1 to 256")]
LeaseTime = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(ge=1.0, le=3600.0, description="a duration from 1s to 1h, such as 15s or 1m30s"),
]
ResyncPeriod = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(ge=60.0, le=86400.0, description="a duration from 1m to 24h, such as 10m"),
]
NamespacedName = Annotated[
    tuple[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]],
    NoDecode,
    BeforeValidator(_split_name),
    Field(description="namespace/name"),
]
NamespaceNames = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)], ...],
    NoDecode,
    BeforeValidator(_split_list),
    Field(description="names of namespaces with commas between", min_length=1),
]


def parse_ipam(text: str, source: str) -> Mapping[str, Any]:
    """A CNI IPAM object from JSON.

    Args:
        text: The JSON.
        source: What it is the value of, for the message.

    Raises:
        SettingsError: It is none.
    """
    try:
        parsed: Mapping[str, Any] = _parse_ipam(text)
    except ValueError as error:
        raise SettingsError(f"{source} is {text!r}: allowed is {_IPAM_ALLOWED}") from error
    return parsed


class Settings(BaseSettings):
    """What the chart, or a shell, set.

    The variable of a field is its name in capitals after SPIDERCOORDINATOR_. Only `read` looks at
    variables; constructed directly, what is not given has its default.

    The title of a field says what it is for, and is a part of `spidercoordinator run --help`.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    name: str = Field("default", title="the SpiderCoordinator that takes effect")
    default_ipam: IPAM = Field(
        {},
        title="IPAM of networks that name none; {} takes Spiderpool's where its kinds are served",
    )
    namespace: str = Field(
        "default", title="namespace of the operator, for its ConfigMap, Secret and Lease"
    )
    http_port: Port = Field(8080, title="port of /livez, /readyz and /metrics")
    log_level: LogLevel = Field("info", title="what is logged, and what is more severe")
    log_format: LogFormat = Field("json", title="form of a line of the log")
    cilium_configmap: NamespacedName = Field(
        ("kube-system", "cilium-config"), title="the ConfigMap with Cilium's configuration"
    )
    agent_namespaces: NamespaceNames = Field(
        ("kube-system", "calico-system", "cilium"),
        title="where agents of CNI plugins are the cluster's own; elsewhere a DaemonSet of their "
        "name is no evidence",
    )
    node_defaults_configmap: str = Field(
        "spidercoordinator-node-defaults", title="name of the ConfigMap that the nodes mount"
    )
    webhook_configuration: str = Field(
        "",
        title="name of the ValidatingWebhookConfiguration that leads to this operator, whose "
        "caBundle it keeps; empty for no webhook",
    )
    webhook_port: Port = Field(9443, title="port of the webhook")
    webhook_certificates: str = Field(
        "",
        title="folder with the webhook's tls.crt and tls.key, which somebody else renews and has "
        "the API server trust; empty to make a certificate and keep the caBundle",
    )
    installer_pods: str = Field(
        "",
        title="label selector of the installer's pods in the operator's namespace, which report "
        "what the nodes have; empty: they are not followed",
    )
    lease: str = Field(
        "",
        title="name of the Lease, in the operator's namespace, that the leader holds; empty to "
        "lead without one, when no other operator runs",
    )
    # Named as those of Kubernetes' own components.
    leader_elect_lease_duration: LeaseTime = Field(
        15.0, title="for how long others leave the Lease alone that does not change"
    )
    leader_elect_renew_deadline: LeaseTime = Field(
        10.0, title="after how long a leader that could not renew the Lease ends"
    )
    leader_elect_retry_period: LeaseTime = Field(
        2.0, title="time between two tries to acquire the Lease or to renew it"
    )
    concurrent_reconciles: Concurrency = Field(
        32, title="how many objects are reconciled at the same time"
    )
    resync_period: ResyncPeriod = Field(
        600.0, title="time between two comparisons of all that is kept with the API server"
    )
    pod_name: str = Field("", title="name of the pod this runs in; empty when there is none")
    pod_uid: str = Field("", title="uid of the pod this runs in; empty when there is none")

    @property
    def leader_election(self) -> LeaderElectionConfig:
        """How long the Lease holds."""
        return LeaderElectionConfig(*(getattr(self, each) for each in _LEASE_TIMES))

    @model_validator(mode="after")
    def _lease_outlives_its_holder(self) -> Self:
        """Another may lead only after the leader stopped (client-go, LeaderElectionConfig)."""
        times = self.leader_election
        if times.lease_duration > times.renew_deadline > _JITTERED * times.retry_period:
            return self
        given = ", ".join(f"{variable(each)} {getattr(self, each):g}s" for each in _LEASE_TIMES)
        rule = "each above the next, the last but one 1.2 times as long"
        raise ValueError(f"{given}: allowed is {rule}")

    @classmethod
    def read(cls, environ: Mapping[str, str], options: Mapping[str, str] | None = None) -> Self:
        """Read the SPIDERCOORDINATOR_* variables; an empty one counts as unset.

        Args:
            environ: The environment.
            options: What the command line says instead, by the names of fields.

        Raises:
            SettingsError: values cannot be used; names each of them.
        """
        given = dict(options or {})
        try:
            return cls.model_validate(_Environment(cls, environ)() | given)
        except ValidationError as error:
            raise SettingsError(_refusal(error, given, environ)) from error

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the environment of this process: a test's settings must not depend on it."""
        return (init_settings,)


def _refusal(error: ValidationError, given: Mapping[str, str], environ: Mapping[str, str]) -> str:
    details = error.errors()
    # A list or a pair has an error for each of its parts.
    fields = dict.fromkeys(str(each["loc"][0]) for each in details if each["loc"])
    if not fields:
        return str(details[0]["ctx"]["error"])
    named = [(each, option(each) if each in given else variable(each)) for each in fields]
    return "; ".join(
        f"{name} is {given.get(field, environ.get(name, ''))!r}:"
        f" allowed is {Settings.model_fields[field].description}"
        for field, name in named
    )


class _Environment(EnvSettingsSource):
    """The variables of a mapping, which may be another than `os.environ`."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings)
        # The source looks them up in lower case.
        self.env_vars = {
            name.lower(): value
            for name, value in environ.items()
            if name.startswith(_PREFIX) and name.isupper() and value
        }


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A message for each SPIDERCOORDINATOR_* variable that is no setting, such as a misspelt one.

    What Kubernetes sets for a Service called spidercoordinator, or spidercoordinator-..., is passed
    over.
    """
    known = [variable(field) for field in Settings.model_fields]
    return [
        _unknown(name.removeprefix(_PREFIX))
        for name, value in sorted(environ.items())
        if name.startswith(_PREFIX)
        and name not in known
        and not _SERVICE_LINK.fullmatch(f"{name.removeprefix(_PREFIX)}={value}")
    ]


def _unknown(name: str) -> str:
    similar = get_close_matches(name.lower(), Settings.model_fields, n=1)
    hint = "".join(f"; did you mean {variable(field)}?" for field in similar)
    return f"{_PREFIX}{name} is not a setting and is ignored{hint}"


def variable(field: str) -> str:
    """The environment variable of a field."""
    return _PREFIX + field.upper()


def option(field: str) -> str:
    """The option of `spidercoordinator run` that says the same."""
    return "--" + field.replace("_", "-")
