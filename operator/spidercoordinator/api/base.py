"""What all models of the wire have in common: names, nulls, unknown fields, rules, metadata.

The models accept what the API server accepts: nulls of properties count as absent, unknown fields
are dropped (the API server prunes them), and there is no conversion between JSON types.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from spidercoordinator.api.objects import Object
from spidercoordinator.api.rules import LIST_KEYS, LIST_TYPE, VALIDATIONS, Rule

_ACRONYMS = frozenset({"cidr", "cni", "id", "ip", "ipam", "mac", "mtu", "nad", "nic", "rp"})


def wire_name(name: str) -> str:
    """The camelCase name of a Python field, e.g. `pod_default_route_nic` → `podDefaultRouteNIC`."""
    first, *rest = name.removesuffix("_").split("_")
    return first + "".join(word.upper() if word in _ACRONYMS else word.title() for word in rest)


class Model(BaseModel):
    """Base of everything on the wire. `rules` are the rules that concern several fields at once."""

    model_config = ConfigDict(
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        strict=True,
        frozen=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        for rule in self.rules:
            rule.check(self)
        return self

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rules of the whole object to its schema."""
        shape = handler.resolve_ref_schema(handler(core))
        if cls.rules:
            shape[VALIDATIONS] = [rule.validation() for rule in cls.rules]
        return shape

    def wire(self) -> Object:
        """The object as JSON data: only the fields that were set, under their wire names."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


class OwnerReference(Model):
    """One entry of metadata.ownerReferences."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Model):
    """The part of an object's metadata that decisions are made from."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    finalizers: tuple[str, ...] = Field(default=(), strict=False)
    owner_references: tuple[OwnerReference, ...] = Field(default=(), strict=False)


ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Model):
    """One condition, in the form all of Kubernetes uses."""

    type: Annotated[str, Field(description="What the condition is about.", max_length=316)]
    status: Annotated[ConditionStatus, Field(description="True, False or Unknown.")]
    reason: Annotated[
        str, Field(description="One CamelCase word: the cause, for programs.", max_length=1024)
    ]
    message: Annotated[str, Field(description="The cause, for people.", max_length=32768)] = ""
    observed_generation: Annotated[
        int | None, Field(description="metadata.generation the condition was computed from.")
    ] = None
    last_transition_time: Annotated[
        str | None,
        Field(
            description="When the status last changed from one value to another.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None


class Status(Model):
    """What the statuses of both kinds have in common."""

    observed_generation: Annotated[
        int | None, Field(description="metadata.generation this status was computed from.")
    ] = None
    conditions: Annotated[
        tuple[Condition, ...] | None,
        Field(
            description="The state in detail: Ready, and what stands in its way.",
            json_schema_extra={LIST_TYPE: "map", LIST_KEYS: ["type"]},
            strict=False,
        ),
    ] = None
