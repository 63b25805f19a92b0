"""What each value of the chart may be: ranges, patterns, shapes of what Kubernetes defines.

A key of values.yaml is looked up by the longest end of its dotted path. tools/values_schema.py
refuses to make a schema of a value that is not here, so a new value cannot be without bounds.
"""

from collections.abc import Mapping

from spidercoordinator.api.objects import Object
from tools.kubernetes_schema import ANNOTATIONS, LABELS, Definitions, choice

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
# A service has to begin with a letter (RFC 1035). What is too long is cut by the templates.
_NAME_PART = {"type": "string", "pattern": "^([a-z]([-a-z0-9]*[a-z0-9])?)?$"}
_OBJECT_NAME = {"type": "string", "pattern": f"^({_SUBDOMAIN})?$"}
_HOST = r"([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
_REGISTRY = {"type": "string", "pattern": rf"^({_HOST}(:[0-9]{{1,5}})?(/[-a-z0-9._]+)*/?)?$"}
# Prometheus' own units, those that a scrape needs.
_DURATION = "[1-9][0-9]*(ms|s|m|h)"
# A port below 1024 needs a capability that the operator does not have.
_POD_PORT = {"type": "integer", "minimum": 1024, "maximum": 65535}
_SOME = {"type": ["integer", "string"], "minimum": 0, "pattern": r"^(|[0-9]+|(100|[0-9]{1,2})%)$"}
_AT_LEAST_ONE = {
    "type": ["integer", "string"],
    "minimum": 1,
    "pattern": r"^([1-9][0-9]*|(100|[1-9][0-9]?)%)$",
}
_PULL_SECRET = {
    "type": ["string", "object"],
    "pattern": f"^{_SUBDOMAIN}$",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": f"^{_SUBDOMAIN}$"}},
}
_SECONDS = {"type": "integer", "minimum": 1, "maximum": 3600}
_PROBE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "periodSeconds": _SECONDS,
        "timeoutSeconds": _SECONDS,
        "failureThreshold": {"type": "integer", "minimum": 1, "maximum": 1000},
        "initialDelaySeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
    },
}
# Go's durations, as the operator reads them; it says itself when one is too short or too long.
_GO_DURATION = r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+"
_OPTION = (
    "^--(concurrent-reconciles=([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-6])"
    rf"|(resync-period|leader-elect-(lease-duration|renew-deadline|retry-period))={_GO_DURATION})$"
)
_TEXTS = {"type": "array", "items": {"type": "string"}}
_RELABELING = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "sourceLabels": _TEXTS,
        "separator": {"type": "string"},
        "targetLabel": {"type": "string"},
        "regex": {"type": "string"},
        "modulus": {"type": "integer", "minimum": 0},
        "replacement": {"type": "string"},
        "action": {"type": "string"}
        | choice(
            *("replace", "Replace", "keep", "Keep", "drop", "Drop", "hashmod", "HashMod"),
            *("labelmap", "LabelMap", "labeldrop", "LabelDrop", "labelkeep", "LabelKeep"),
            *("lowercase", "Lowercase", "uppercase", "Uppercase", "keepequal", "KeepEqual"),
            *("dropequal", "DropEqual"),
        ),
    },
}

_KEY_OF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "key"],
    "properties": {
        "name": {"type": "string"},
        "key": {"type": "string"},
        "optional": {"type": "boolean"},
    },
}
_SECRET_OR_CONFIG_MAP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"secret": _KEY_OF, "configMap": _KEY_OF},
}
_TLS_VERSION = {"type": "string"} | choice("TLS10", "TLS11", "TLS12", "TLS13")
# SafeTLSConfig of the Prometheus operator.
_TLS_CONFIG = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "insecureSkipVerify": {"type": "boolean"},
        "serverName": {"type": "string"},
        "ca": _SECRET_OR_CONFIG_MAP,
        "cert": _SECRET_OR_CONFIG_MAP,
        "keySecret": _KEY_OF,
        "minVersion": _TLS_VERSION,
        "maxVersion": _TLS_VERSION,
    },
}

BOUNDS: Mapping[str, Object] = {
    "nameOverride": _NAME_PART,
    "fullnameOverride": _NAME_PART,
    "namespaceOverride": {"type": "string", "pattern": f"^({_LABEL})?$"},
    "imageRegistryOverride": _REGISTRY,
    "imagePullSecrets": {"type": "array", "items": _PULL_SECRET},
    "commonLabels": LABELS,
    "commonAnnotations": ANNOTATIONS,
    # The templates say more of these: what is wrong, and an example of what is right.
    "cniBinHostPath": {"type": "string", "maxLength": 4096},
    "ciliumConfigMap": {"type": "string", "maxLength": 317},
    "agentNamespaces": {"type": "array", "maxItems": 100, "items": {"type": "string"}},
    "coordinator.name": {"type": "string", "maxLength": 253},
    # Any CNI IPAM object; the templates look at its type.
    "defaultIPAM": {"type": "object"},
    "operator.replicas": {"type": "integer", "minimum": 0, "maximum": 100},
    "registry": _REGISTRY,
    "repository": {
        "type": "string",
        "pattern": "^[a-z0-9]+([._/-]+[a-z0-9]+)*$",
    },
    "tag": {"type": "string", "pattern": r"^([A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?$"},
    "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})?$"},
    "pullPolicy": {"type": "string"} | choice("Always", "IfNotPresent", "Never"),
    "log.level": {"type": "string"} | choice("debug", "info", "warning", "error"),
    "log.format": {"type": "string"} | choice("json", "text"),
    "operator.extraArgs": {
        "type": "array",
        "maxItems": 100,
        "items": {"type": "string", "pattern": _OPTION},
    },
    "operator.httpPort": _POD_PORT,
    "operator.webhook.port": _POD_PORT,
    "installer.metrics.port": _POD_PORT,
    "installer.metrics.tlsSecret": _OBJECT_NAME,
    "webhook.timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 30},
    "webhook.failurePolicy": {"type": "string"} | choice("Ignore", "Fail"),
    "issuerRef.name": _OBJECT_NAME,
    "issuerRef.kind": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]{0,62}$"},
    "issuerRef.group": {"type": "string", "pattern": f"^{_SUBDOMAIN}$"},
    "dnsPolicy": {"type": "string"}
    | choice("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None", empty=True),
    "startupProbe": _PROBE,
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "ipFamilyPolicy": {"type": "string"}
    | choice("SingleStack", "PreferDualStack", "RequireDualStack", empty=True),
    "ipFamilies": {
        "type": "array",
        "maxItems": 2,
        "items": {"type": "string"} | choice("IPv4", "IPv6"),
    },
    "priorityClassName": _OBJECT_NAME,
    "nodeSelector": LABELS,
    "podLabels": LABELS,
    "podAnnotations": ANNOTATIONS,
    "revisionHistoryLimit": {"type": "integer", "minimum": 0, "maximum": 100},
    "serviceAccount.name": _OBJECT_NAME,
    "annotations": ANNOTATIONS,
    "podDisruptionBudget.minAvailable": _SOME,
    "podDisruptionBudget.maxUnavailable": _SOME,
    "installer.maxUnavailable": _AT_LEAST_ONE,
    "uninstall.deadlineSeconds": {"type": "integer", "minimum": 10, "maximum": 3600},
    "test.deadlineSeconds": {"type": "integer", "minimum": 30, "maximum": 3600},
    # As a node's; ip link takes any byte but blanks, "/" and ":".
    "test.interface": {"type": "string", "pattern": "^[!-.0-9;-~]{1,15}$"},
    "test.image": {"type": "string", "pattern": r"^([A-Za-z0-9][-A-Za-z0-9._/:@]*)?$"},
    # As defaultIPAM.
    "test.ipam": {"type": "object"},
    "metrics.service.port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "serviceMonitor.namespace": {"type": "string", "pattern": f"^({_LABEL})?$"},
    "serviceMonitor.interval": {"type": "string", "pattern": f"^{_DURATION}$"},
    "serviceMonitor.scrapeTimeout": {"type": "string", "pattern": f"^({_DURATION})?$"},
    "serviceMonitor.labels": LABELS,
    "podMonitor.namespace": {"type": "string", "pattern": f"^({_LABEL})?$"},
    "podMonitor.interval": {"type": "string", "pattern": f"^{_DURATION}$"},
    "podMonitor.scrapeTimeout": {"type": "string", "pattern": f"^({_DURATION})?$"},
    "podMonitor.tokenSecret.name": _OBJECT_NAME,
    "podMonitor.tokenSecret.key": {"type": "string", "pattern": "^[-._A-Za-z0-9]{1,253}$"},
    "podMonitor.tlsConfig": _TLS_CONFIG,
    "podMonitor.labels": LABELS,
    "prometheusRule.namespace": {"type": "string", "pattern": f"^({_LABEL})?$"},
    "prometheusRule.labels": LABELS,
    "prometheusRule.runbookUrl": {"type": "string", "pattern": r"^\S*$"},
    "dashboard.namespace": {"type": "string", "pattern": f"^({_LABEL})?$"},
    "dashboard.labels": LABELS,
    "relabelings": {"type": "array", "items": _RELABELING},
    "metricRelabelings": {"type": "array", "items": _RELABELING},
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}},
}

# Values that are one of Kubernetes' own types, or a list of them.
KUBERNETES: Mapping[str, str] = {
    "resources": "V1ResourceRequirements",
    "affinity": "V1Affinity",
    "dnsConfig": "V1PodDNSConfig",
    "operator.updateStrategy": "V1DeploymentStrategy",
    "installer.updateStrategy": "V1DaemonSetUpdateStrategy",
    "podSecurityContext": "V1PodSecurityContext",
    "securityContext": "V1SecurityContext",
}
KUBERNETES_LISTS: Mapping[str, str] = {
    "tolerations": "V1Toleration",
    "topologySpreadConstraints": "V1TopologySpreadConstraint",
    "extraEnv": "V1EnvVar",
    "hostAliases": "V1HostAlias",
    "extraVolumes": "V1Volume",
    "extraVolumeMounts": "V1VolumeMount",
    "networkPolicy.from": "V1NetworkPolicyPeer",
}


def bounds_of(path: str, definitions: Definitions) -> Object | None:
    """The schema of the value of this dotted path, by the longest end of it that is known."""
    parts = path.split(".")
    for first in range(len(parts)):
        end = ".".join(parts[first:])
        if end in BOUNDS:
            return dict(BOUNDS[end])
        if end in KUBERNETES:
            return definitions.of(KUBERNETES[end])
        if end in KUBERNETES_LISTS:
            return {"type": "array", "items": definitions.of(KUBERNETES_LISTS[end])}
    return None
