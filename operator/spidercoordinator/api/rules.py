"""A validation rule: one object that holds in Python and, as CEL, in the API server.

Both kinds are checked twice, by the API server before an object is stored and by the operator when
it reads one (a rule may be newer than the object). Keeping the two expressions in one value is what
keeps them the same; tests/apiserver/test_crd_agreement.py drives both with the same objects.

CEL: https://kubernetes.io/docs/reference/using-api/cel/ (the `ip` and `cidr` libraries need
Kubernetes 1.31).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"

_VALUE = "{value}"


@dataclass(frozen=True)
class Rule:
    """What must hold of a value.

    Attributes:
        cel: The rule as CEL over `self`.
        holds: The same rule in Python.
        message: The message for the user. `{value}` stands for the offending value.
        at: For a rule of an object, the property that is to blame.
        reason: The API server's reason: FieldValueInvalid, FieldValueRequired,
            FieldValueForbidden or FieldValueDuplicate.
        shown: The value as text, in CEL. `string(self)` on a number is too dear for the cost
            budget of messages.
    """

    cel: str
    holds: Callable[[Any], bool]
    message: str
    at: str = ""
    reason: str = "FieldValueInvalid"
    shown: str = "self"

    def text(self, value: object) -> str:
        """The message for this value."""
        return self.message.replace(_VALUE, str(value))

    def validation(self) -> dict[str, str]:
        """The rule as an item of `x-kubernetes-validations`."""
        plain = self.message.replace(f'"{_VALUE}"', _VALUE).replace(_VALUE, "the value")
        item = {"rule": self.cel, "message": plain}
        if _VALUE in self.message:
            item["messageExpression"] = self._message_expression()
        if self.at:
            item["fieldPath"] = f".{self.at}"
        item["reason"] = self.reason
        return item

    def _message_expression(self) -> str:
        before, after = self.message.split(_VALUE)
        return " + ".join(
            ([_cel_string(before)] if before else []) + [self.shown, _cel_string(after)]
        )

    def check(self, value: Any) -> Any:
        """Return the value if the rule holds.

        Raises:
            PydanticCustomError: It does not; `at` is in the error's context.
        """
        if self.holds(value):
            return value
        context = {"text": self.text(value), "at": self.at}
        raise PydanticCustomError("rule", "{text}", context)

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let a rule stand in `Annotated[str, Rule(...)]`."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rule to the field's JSON schema."""
        shape = handler(schema)
        shape.setdefault(VALIDATIONS, []).append(self.validation())
        return shape


@dataclass(frozen=True)
class Unique:
    """A list in which nothing is there twice; a set for server-side apply, too."""

    def check(self, values: Any) -> Any:
        """Return the list if nothing is there twice.

        Raises:
            PydanticCustomError: Something is; `at` is the index of its second place.
        """
        known: set[Any] = set()
        for index, value in enumerate(values):
            if value in known:
                context = {"text": f'"{value}" is there twice; remove one of them', "at": index}
                raise PydanticCustomError("rule", "{text}", context)
            known.add(value)
        return values

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let it stand in `Annotated[tuple[str, ...], Unique()]`."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say so in the field's JSON schema."""
        return {**handler(schema), LIST_TYPE: "set"}


def matches(pattern: str, message: str) -> Rule:
    """A rule that a whole string matches a pattern that RE2 and Python read the same way."""
    compiled = re.compile(pattern)
    return Rule(
        cel=f"self.matches({_cel_string(f'^(?:{pattern})$')})",
        holds=lambda value: compiled.fullmatch(value) is not None,
        message=message,
    )


def _cel_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
