"""The first rows: whether all is well, and which alerts say no."""

from typing import Final

from tools.dashboard.model import NOT_READY, Panel, Query, Row, own

_ALERTS: Final = 'ALERTS{alertname=~"Spider(Coordinator|MultusConfig)[A-Z].*"'
_ANSWERS: Final = {0: ("does not answer", "red"), 1: ("answers", "green")}

OVERVIEW = Row(
    "Overview",
    "Is all well, and if not, which row tells why?",
    (
        Panel(
            "SpiderCoordinator",
            "Ready: new and changed networks are served. NotReady: the object's status.reason says"
            " why.",
            (Query(f"max({own('ready')})", "SpiderCoordinator"),),
            single=True,
            states={0: ("NotReady", "red"), 1: ("Ready", "green")},
        ),
        Panel(
            "Networks not ready",
            "SpiderMultusConfigs whose condition Ready is not True; the row Networks has the"
            " reasons.",
            (
                Query(
                    f"sum(max by (ready, reason) ({own('networks', NOT_READY)}))",
                    "not ready",
                ),
            ),
            single=True,
            alarming=1,
            empty="0",
        ),
        Panel(
            "Alerts firing",
            "Alerts of the chart's PrometheusRule that fire; each has a runbook.",
            (Query(f'count({_ALERTS},alertstate="firing"}})', "firing"),),
            single=True,
            alarming=1,
            empty="0",
        ),
        Panel(
            "Leader",
            "Replicas that lead: one. None: nothing takes effect.",
            (Query(f"sum({own('leader')})", "leading"),),
            single=True,
            enough=1,
        ),
        Panel(
            "Webhook",
            "Whether every replica answers it; where it is switched off, none does.",
            (Query(f"min({own('webhook_up')})", "webhook"),),
            single=True,
            states=_ANSWERS,
        ),
        Panel(
            "Certificate ends in",
            "What is left of the webhook's certificate, which is renewed 60 days before its end.",
            (
                Query(
                    f"min({own('webhook_certificate_expiration_timestamp_seconds')} > 0) - time()",
                    "left",
                ),
            ),
            unit="s",
            single=True,
            enough=30 * 86400,
            empty="none",
        ),
        Panel(
            "Versions",
            "The versions that run; two during an upgrade.",
            (Query(f"count by (version) ({own('build_info')})", "{{version}}"),),
            single=True,
            by_name=True,
        ),
    ),
)

ALERTING = Row(
    "Alerts",
    "What does Prometheus complain about?",
    (
        Panel(
            "Alerts, pending and firing",
            "Alerts of the chart's PrometheusRule by name; a pending one fires when it has held"
            " for long enough.",
            (
                Query(
                    f"sum by (alertname, severity, alertstate) ({_ALERTS}}})",
                    "{{alertname}} {{severity}} {{alertstate}}",
                ),
            ),
            empty="none",
        ),
    ),
)
