"""The rows of the operator itself: its work, its talk with the API server, what it costs."""

from typing import Final

from tools.dashboard.model import OWN, Panel, Query, Row, own, quantile, rate

_RECONCILES: Final = rate("reconcile_duration_seconds_bucket")
_REVIEWS: Final = rate("webhook_review_duration_seconds_bucket")
_FAILED: Final = 'result="failed"'
_UNDONE: Final = 'code!~"2.."'

RECONCILING = Row(
    "Reconciling",
    "Does the operator keep up?",
    (
        Panel(
            "Reconciles",
            "Reconciliations a second, by kind and result.",
            (
                Query(
                    f"sum by (kind, result) ({rate('reconciles_total')})",
                    "{{kind}} {{result}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Failed reconciles",
            "Reconciliations that failed and are tried again with back-off; the log has the"
            " objects.",
            (
                Query(
                    f"sum by (kind) ({rate('reconciles_total', _FAILED)})",
                    "{{kind}}",
                ),
            ),
            unit="ops",
            empty="0",
        ),
        Panel(
            "Duration of a reconcile",
            "Median and 99th percentile, by kind.",
            (
                Query(quantile(0.5, _RECONCILES, "kind"), "{{kind}} median"),
                Query(quantile(0.99, _RECONCILES, "kind"), "{{kind}} 99 %"),
            ),
            unit="s",
        ),
        Panel(
            "Work queue",
            "Objects that wait to be reconciled, and objects whose last reconciliation failed.",
            (
                Query(f"max({own('workqueue_depth')})", "waiting"),
                Query(f"max({own('workqueue_retrying')})", "failed last time"),
            ),
        ),
        Panel(
            "Longest reconcile running",
            "How long the longest reconciliation that runs now has been running; minutes mean that"
            " it is stuck.",
            (Query(f"max({own('workqueue_longest_running_seconds')})", "running for"),),
            unit="s",
        ),
        Panel(
            "Bugs met",
            "Objects that a resync repaired, and exceptions that nobody expected, since each"
            " replica started. Anything but none is a bug to report, with the log.",
            (
                Query(
                    f"sum by (pod, kind) ({own('resync_repairs_total')})",
                    "repaired {{kind}} {{pod}}",
                ),
                Query(
                    f"sum by (pod, place) ({own('unexpected_errors_total')})",
                    "unexpected {{place}} {{pod}}",
                ),
            ),
            empty="none",
        ),
    ),
)

API = Row(
    "API server",
    "Does the API server take what the operator writes, and tell it what changes?",
    (
        Panel(
            "Requests",
            "Requests a second, by HTTP method and status code.",
            (
                Query(
                    f"sum by (method, code) ({rate('api_requests_total')})", "{{method}} {{code}}"
                ),
            ),
            unit="reqps",
        ),
        Panel(
            "Requests refused or unanswered",
            "Those with another code than 2xx. `<error>`: no answer. GET 404 is a kind that this"
            " cluster does not serve; 409 is a conflict, which is tried again at once.",
            (
                Query(
                    f"sum by (method, code) ({rate('api_requests_total', _UNDONE)})",
                    "{{method}} {{code}}",
                ),
            ),
            unit="reqps",
            empty="0",
        ),
        Panel(
            "Watch events",
            "Changes that came in a second, by kind.",
            (Query(f"sum by (kind) ({rate('watch_events_total')})", "{{kind}}"),),
            unit="ops",
        ),
        Panel(
            "Since the last event",
            "How long ago a replica last heard of anything, a list included; minutes mean that its"
            " watches are silent.",
            (
                Query(
                    f"time() - max by (pod) ({own('last_event_timestamp_seconds')})",
                    "{{pod}}",
                ),
            ),
            unit="s",
        ),
    ),
)

WEBHOOK = Row(
    "Webhook",
    "Are objects looked at before they are stored?",
    (
        Panel(
            "Reviews",
            "Admission reviews a second, by kind and result. failed: stored unchecked, because of"
            " a bug.",
            (
                Query(
                    f"sum by (kind, result) ({rate('webhook_reviews_total')})",
                    "{{kind}} {{result}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            "Duration of a review",
            "Median and 99th percentile, by kind; the API server waits three seconds.",
            (
                Query(quantile(0.5, _REVIEWS, "kind"), "{{kind}} median"),
                Query(quantile(0.99, _REVIEWS, "kind"), "{{kind}} 99 %"),
            ),
            unit="s",
        ),
        Panel(
            "Answers",
            "1 while a replica answers the webhook.",
            (Query(f"min by (pod) ({own('webhook_up')})", "{{pod}}"),),
        ),
    ),
)

REPLICAS = Row(
    "Replicas",
    "Who leads, and what does the operator cost?",
    (
        Panel(
            "Leading",
            "1 for the replica that leads; a line that jumps tells of a change.",
            (Query(f"max by (pod) ({own('leader')})", "{{pod}}"),),
        ),
        Panel(
            "Memory",
            "Resident memory of each replica.",
            (
                Query(
                    f"max by (pod) (process_resident_memory_bytes{{{OWN}}})",
                    "{{pod}}",
                ),
            ),
            unit="bytes",
        ),
        Panel(
            "CPU",
            "Share of one core that each replica uses.",
            (
                Query(
                    f"sum by (pod) (rate(process_cpu_seconds_total{{{OWN}}}[$__rate_interval]))",
                    "{{pod}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "What runs",
            "Version of the operator and of Python, of each replica.",
            (
                Query(
                    f"max by (pod, version, python_version) ({own('build_info')})",
                    "{{pod}}: {{version}}, Python {{python_version}}",
                ),
            ),
            single=True,
            by_name=True,
        ),
    ),
)
