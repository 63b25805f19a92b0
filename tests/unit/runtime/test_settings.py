from __future__ import annotations

import pytest

from spidercoordinator.errors import SettingsError
from spidercoordinator.runtime.settings import Settings


def test_nothing_set_is_enough() -> None:
    settings = Settings.read({"PATH": "/bin", "SPIDERCOORDINATOR_NAME": ""})
    assert (settings.name, settings.http_port) == ("default", 8080)
    assert settings.default_ipam == {"type": "spiderpool"}
    assert settings.lease == ""


def test_everything_set() -> None:
    settings = Settings.read(
        {
            "SPIDERCOORDINATOR_NAME": "main",
            "SPIDERCOORDINATOR_DEFAULT_IPAM": '{"type":"host-local"}',
            "SPIDERCOORDINATOR_NAMESPACE": "net",
            "SPIDERCOORDINATOR_HTTP_PORT": "0",
            "SPIDERCOORDINATOR_LOG_LEVEL": "DEBUG",
            "SPIDERCOORDINATOR_LOG_FORMAT": "text",
            "SPIDERCOORDINATOR_CILIUM_CONFIGMAP": "cilium/config",
            "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": "defaults",
            "SPIDERCOORDINATOR_LEASE": "operator",
            "SPIDERCOORDINATOR_POD_NAME": "operator-x2x4z",
            "SPIDERCOORDINATOR_POD_UID": "1-2-3",
            "SPIDERCOORDINATOR_INSTALLER_PODS": "a=b,c=d",
        }
    )
    assert settings.cilium_config_map == ("cilium", "config")
    assert (settings.log_level, settings.log_format) == ("debug", "text")
    assert (settings.namespace, settings.node_defaults) == ("net", "defaults")
    assert (settings.lease, settings.pod) == ("operator", ("operator-x2x4z", "1-2-3"))
    assert settings.installer_pods == "a=b,c=d"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEFAULT_IPAM", "spiderpool"),
        ("DEFAULT_IPAM", "[]"),
        ("DEFAULT_IPAM", '{"type": 1}'),
        ("HTTP_PORT", "http"),
        ("HTTP_PORT", "65536"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("CILIUM_CONFIGMAP", "cilium-config"),
        ("CILIUM_CONFIGMAP", "a/b/c"),
        ("CILIUM_CONFIGMAP", "/b"),
    ],
)
def test_a_refusal_names_variable_value_and_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({f"SPIDERCOORDINATOR_{variable}": value})
    assert f"SPIDERCOORDINATOR_{variable} is {value!r}: allowed is " in str(refused.value)
