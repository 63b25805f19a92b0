"""JSON schemas of Kubernetes' own types, from the models of its Python client.

Helm applies one object after another, so a wrong key of a pod's specification that only the API
server refuses leaves a release half applied. These schemas refuse it before. The client's models
are made from the API's OpenAPI document: they know names, types and what is required; the few
ranges and choices that matter here stand in `_BOUNDS`.
"""

from collections.abc import Mapping
from typing import Any

from kubernetes.client import models

from spidercoordinator.api.objects import Object

QUANTITY: Object = {
    "type": ["string", "number"],
    "minimum": 0,
    "pattern": r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
}
_LABEL_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?"
_QUALIFIED = (
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]"
)
LABELS: Object = {
    "type": "object",
    "propertyNames": {"pattern": f"^{_QUALIFIED}$"},
    "additionalProperties": {"type": "string", "pattern": f"^{_LABEL_VALUE}$"},
}
ANNOTATIONS: Object = {
    "type": "object",
    "propertyNames": {"pattern": f"^{_QUALIFIED}$"},
    "additionalProperties": {"type": "string"},
}
_DNS_LABEL = {"pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
_IDENTITY = {"minimum": 0, "maximum": 2**31 - 1}
_WEIGHT = {"minimum": 1, "maximum": 100}
_SHARE = {"minimum": 0, "pattern": "^(100|[0-9]{1,2})%$"}
_PATH = {"pattern": "^[^:]+$"}


def choice(*allowed: str, empty: bool = False) -> Object:
    """One of these texts. A pattern, because helm's words for one tell the value, too."""
    return {
        "pattern": f"^({'|'.join(allowed)}){'?' if empty else ''}$",
        "examples": [*allowed],
    }


# By model and field.
_BOUNDS: Mapping[str, Object] = {
    "V1DeploymentStrategy.type": choice("RollingUpdate", "Recreate"),
    "V1DaemonSetUpdateStrategy.type": choice("RollingUpdate", "OnDelete"),
    "V1RollingUpdateDeployment.maxSurge": _SHARE,
    "V1RollingUpdateDeployment.maxUnavailable": _SHARE,
    "V1RollingUpdateDaemonSet.maxSurge": _SHARE,
    "V1RollingUpdateDaemonSet.maxUnavailable": _SHARE,
    "V1Toleration.operator": choice("Exists", "Equal", "Lt", "Gt", empty=True),
    "V1Toleration.effect": choice("NoSchedule", "PreferNoSchedule", "NoExecute", empty=True),
    "V1TopologySpreadConstraint.maxSkew": {"minimum": 1},
    "V1TopologySpreadConstraint.minDomains": {"minimum": 1},
    "V1TopologySpreadConstraint.whenUnsatisfiable": choice("DoNotSchedule", "ScheduleAnyway"),
    "V1TopologySpreadConstraint.nodeAffinityPolicy": choice("Honor", "Ignore"),
    "V1TopologySpreadConstraint.nodeTaintsPolicy": choice("Honor", "Ignore"),
    "V1PreferredSchedulingTerm.weight": _WEIGHT,
    "V1WeightedPodAffinityTerm.weight": _WEIGHT,
    "V1NodeSelectorRequirement.operator": choice(
        "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"
    ),
    "V1LabelSelectorRequirement.operator": choice("In", "NotIn", "Exists", "DoesNotExist"),
    "V1LabelSelector.matchLabels": LABELS,
    "V1ResourceRequirements.limits": {"type": "object", "additionalProperties": QUANTITY},
    "V1ResourceRequirements.requests": {"type": "object", "additionalProperties": QUANTITY},
    "V1EmptyDirVolumeSource.sizeLimit": QUANTITY,
    "V1ResourceFieldSelector.divisor": QUANTITY,
    "V1PodSecurityContext.runAsUser": _IDENTITY,
    "V1PodSecurityContext.runAsGroup": _IDENTITY,
    "V1PodSecurityContext.fsGroup": _IDENTITY,
    "V1SecurityContext.runAsUser": _IDENTITY,
    "V1SecurityContext.runAsGroup": _IDENTITY,
    "V1SeccompProfile.type": choice("RuntimeDefault", "Localhost", "Unconfined"),
    "V1AppArmorProfile.type": choice("RuntimeDefault", "Localhost", "Unconfined"),
    "V1EnvVar.name": {"pattern": "^[!-<>-~]+$"},
    "V1Volume.name": _DNS_LABEL,
    "V1VolumeMount.name": _DNS_LABEL,
    "V1VolumeMount.mountPath": _PATH,
}


class Definitions:
    """Schemas of models, each one once, for the `definitions` of a schema."""

    def __init__(self) -> None:
        """Begin without any."""
        self.schemas: dict[str, Object] = {}

    def of(self, model: str) -> Object:
        """A reference to the schema of a model of kubernetes.client.

        Raises:
            AttributeError: the client has no such model.
        """
        shape = getattr(models, model).model_json_schema(by_alias=True)
        for name, inner in {**shape.pop("$defs", {}), model: shape}.items():
            self.schemas.setdefault(name, _plain(inner, f"{name}."))
        return {"$ref": f"#/definitions/{model}"}


def _plain(schema: Mapping[str, Any], path: str) -> Object:
    """Names, types, what is required, and the bounds of the field at `path`; null is no value."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("$defs", "definitions")}
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(options) == 1:
        return _plain(options[0], path)
    if options:
        return {"type": [each["type"] for each in options]} | _BOUNDS.get(path, {})
    result = {key: schema[key] for key in ("type", "required") if key in schema}
    if "properties" in schema:
        result["properties"] = {
            name: _plain(inner, f"{path}{name}") for name, inner in schema["properties"].items()
        }
        result["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), Mapping):
        result["additionalProperties"] = _plain(schema["additionalProperties"], path)
    if "items" in schema:
        result["items"] = _plain(schema["items"], "")
    return result | _BOUNDS.get(path, {})
