"""Settings from the environment: defaults, refusals, and what is no setting."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from spidercoordinator.errors import SettingsError
from spidercoordinator.runtime.settings import Settings, unknown_variables


def test_nothing_set_is_enough() -> None:
    settings = Settings.read({"PATH": "/bin", "SPIDERCOORDINATOR_NAME": ""})
    assert (settings.name, settings.http_port) == ("default", 8080)
    assert settings.default_ipam == {}
    assert settings.lease == ""
    assert settings == Settings()


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
            "SPIDERCOORDINATOR_AGENT_NAMESPACES": "kube-system, net",
            "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": "defaults",
            "SPIDERCOORDINATOR_WEBHOOK_CONFIGURATION": "webhook",
            "SPIDERCOORDINATOR_WEBHOOK_PORT": "443",
            "SPIDERCOORDINATOR_WEBHOOK_CERTIFICATES": "/certificates",
            "SPIDERCOORDINATOR_LEASE": "operator",
            "SPIDERCOORDINATOR_POD_NAME": "operator-x2x4z",
            "SPIDERCOORDINATOR_POD_UID": "1-2-3",
            "SPIDERCOORDINATOR_INSTALLER_PODS": "a=b,c=d",
            "SPIDERCOORDINATOR_LEADER_ELECT_LEASE_DURATION": "1m30s",
            "SPIDERCOORDINATOR_LEADER_ELECT_RENEW_DEADLINE": "1m",
            "SPIDERCOORDINATOR_LEADER_ELECT_RETRY_PERIOD": "2500ms",
            "SPIDERCOORDINATOR_CONCURRENT_RECONCILES": "8",
            "SPIDERCOORDINATOR_RESYNC_PERIOD": "1.5h",
        }
    )
    assert settings == Settings(
        name="main",
        default_ipam={"type": "host-local"},
        namespace="net",
        http_port=0,
        log_level="debug",
        log_format="text",
        cilium_configmap=("cilium", "config"),
        agent_namespaces=("kube-system", "net"),
        node_defaults_configmap="defaults",
        webhook_configuration="webhook",
        webhook_port=443,
        webhook_certificates="/certificates",
        installer_pods="a=b,c=d",
        lease="operator",
        leader_elect_lease_duration=90.0,
        leader_elect_renew_deadline=60.0,
        leader_elect_retry_period=2.5,
        concurrent_reconciles=8,
        resync_period=5400.0,
        pod_name="operator-x2x4z",
        pod_uid="1-2-3",
    )
    assert not any(
        getattr(settings, name) == getattr(Settings(), name) for name in settings_names()
    )


def settings_names() -> list[str]:
    return list(Settings.model_fields)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEFAULT_IPAM", "spiderpool"),
        ("DEFAULT_IPAM", "[]"),
        ("DEFAULT_IPAM", "null"),
        ("DEFAULT_IPAM", '{"type": 1}'),
        ("DEFAULT_IPAM", '{"type": ""}'),
        ("DEFAULT_IPAM", '{"range": "10.6.0.0/16"}'),
        ("HTTP_PORT", "http"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "-1"),
        ("WEBHOOK_PORT", "tcp://10.96.0.7:443"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("CILIUM_CONFIGMAP", "cilium-config"),
        ("CILIUM_CONFIGMAP", "a/b/c"),
        ("CILIUM_CONFIGMAP", "/b"),
        ("CILIUM_CONFIGMAP", "a/"),
        ("AGENT_NAMESPACES", ","),
        ("AGENT_NAMESPACES", "kube-system/cilium"),
        ("CONCURRENT_RECONCILES", "0"),
        ("CONCURRENT_RECONCILES", "257"),
        ("RESYNC_PERIOD", "59s"),
        ("RESYNC_PERIOD", "600"),
        ("RESYNC_PERIOD", "25h"),
        ("LEADER_ELECT_LEASE_DURATION", "15 s"),
        ("LEADER_ELECT_RENEW_DEADLINE", "-1s"),
        ("LEADER_ELECT_RETRY_PERIOD", "999ms"),
        ("LEADER_ELECT_RETRY_PERIOD", "s"),
    ],
)
def test_a_refusal_names_variable_value_and_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({f"SPIDERCOORDINATOR_{variable}": value})
    start, allowed = str(refused.value).split(": allowed is ")
    assert start == f"SPIDERCOORDINATOR_{variable} is {value!r}"
    assert allowed not in {"", "None"}
    assert "\n" not in allowed


def test_all_that_cannot_be_used_is_named_at_once() -> None:
    environ = {
        "SPIDERCOORDINATOR_HTTP_PORT": "99999",
        "SPIDERCOORDINATOR_LOG_FORMAT": "xml",
        "SPIDERCOORDINATOR_CILIUM_CONFIGMAP": "/",
        "SPIDERCOORDINATOR_LEADER_ELECT_LEASE_DURATION": "1s",
    }
    with pytest.raises(SettingsError) as refused:
        Settings.read(environ, {"log_level": "loud"})
    assert str(refused.value) == (
        "SPIDERCOORDINATOR_HTTP_PORT is '99999': allowed is a number from 0 (any free port) to"
        " 65535; --log-level is 'loud': allowed is debug, info, warning, error;"
        " SPIDERCOORDINATOR_LOG_FORMAT is 'xml': allowed is json, text;"
        " SPIDERCOORDINATOR_CILIUM_CONFIGMAP is '/': allowed is namespace/name"
    )


@pytest.mark.parametrize(
    ("lease", "deadline", "retry"),
    [("10s", "10s", "2s"), ("15s", "20s", "2s"), ("15s", "10s", "9s"), ("12s", "11s", "1m")],
)
def test_times_of_the_lease_that_cannot_be_together_are_all_named(
    lease: str, deadline: str, retry: str
) -> None:
    prefix = "SPIDERCOORDINATOR_LEADER_ELECT_"
    given = {"LEASE_DURATION": lease, "RENEW_DEADLINE": deadline, "RETRY_PERIOD": retry}
    with pytest.raises(SettingsError) as refused:
        Settings.read({prefix + name: value for name, value in given.items()})
    said = str(refused.value)
    assert all(prefix + name in said for name in given)
    assert "60s" in said or all(f" {value}" in said for value in given.values())
    assert ": allowed is each " in said


def test_an_option_counts_more_than_its_variable_and_its_refusal_names_it() -> None:
    environ = {"SPIDERCOORDINATOR_LOG_LEVEL": "error", "SPIDERCOORDINATOR_NAME": "main"}
    settings = Settings.read(environ, {"log_level": "debug", "resync_period": "5m"})
    assert (settings.log_level, settings.name, settings.resync_period) == ("debug", "main", 300.0)
    with pytest.raises(SettingsError, match=r"^--log-level is 'loud': allowed is debug, "):
        Settings.read(environ, {"log_level": "loud"})


def test_only_reading_looks_at_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIDERCOORDINATOR_NAME", "from-the-process")
    assert Settings().name == Settings.read({}).name == "default"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().name = "other"  # type: ignore[misc] # that is what is tested


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NAMSPACE", "a", "NAMSPACE is not a setting and is ignored; did you mean {}NAMESPACE?"),
        ("HTP_PORT", "8080", "HTP_PORT is not a setting and is ignored; did you mean {}HTTP_PORT?"),
        ("name", "a", "name is not a setting and is ignored; did you mean {}NAME?"),
        ("COLOUR_OF_THE_SKY", "", "COLOUR_OF_THE_SKY is not a setting and is ignored"),
        ("NAMESPACE", "a", None),
        # A Service spidercoordinator, and one spidercoordinator-api.
        ("SERVICE_HOST", "10.96.0.7", None),
        ("SERVICE_PORT", "80", None),
        ("SERVICE_PORT_HTTP", "80", None),
        ("PORT", "tcp://10.96.0.7:80", None),
        ("PORT_80_TCP", "tcp://10.96.0.7:80", None),
        ("API_SERVICE_HOST", "10.96.0.8", None),
        ("API_PORT", "udp://[fd00::8]:80", None),
        ("API_PORT_80_UDP_ADDR", "fd00::8", None),
    ],
)
def test_what_is_no_setting_is_said_but_for_service_links(
    variable: str, value: str, message: str | None
) -> None:
    prefix = "SPIDERCOORDINATOR_"
    said = [] if message is None else [prefix + message.format(prefix)]
    assert unknown_variables({prefix + variable: value, "PATH": "/bin"}) == said


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_says_what_it_is_for(name: str) -> None:
    title = Settings.model_fields[name].title
    assert title
    assert title[-1] not in ".;"
