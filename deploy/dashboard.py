"""Writes deploy/dashboard.json, which Grafana imports. Run: python -m deploy.dashboard.

Servers are scraped as job ledger-web, relays as job ledger-relay (deploy/prometheus.yaml).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE = Path(__file__).with_name("dashboard.json")
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
API = '{route!~"livez|readyz|metrics"}'
WIDTH, HEIGHT = 8, 7  # of a panel: three stand in a row


class Graph(NamedTuple):
    """A panel with lines: expressions by what their lines are called."""

    title: str
    unit: str
    lines: dict[str, str]


class Number(NamedTuple):
    title: str
    unit: str
    expression: str


Panel = Graph | Number
ROWS: dict[str, Sequence[Panel]] = {
    "At a glance": (
        Number("Requests", "reqps", f"sum(rate(ledger_requests_total{API}[5m]))"),
        Number("Failed", "percentunit", "ledger:request_errors:ratio_rate5m"),
        Number("Proven", "dateTimeFromNow", "1000 * max(ledger_audit_clean_timestamp_seconds)"),
        Number("Findings of the last audit", "none", "max(ledger_audit_findings)"),
        Number("Corrections waiting", "none", "max(ledger_corrections_waiting)"),
        Number("Relay seen", "dateTimeFromNow", "1000 * max(ledger_relay_seen_timestamp_seconds)"),
    ),
    "Requests": (
        Graph(
            "Rate by route",
            "reqps",
            {"{{method}} {{route}}": f"sum by (method, route) (rate(ledger_requests_total{API}[5m]))"},
        ),
        Graph(
            "Failures by route",
            "reqps",
            {
                "{{status}} {{route}}": "sum by (status, route)"
                ' (rate(ledger_requests_total{route!~"livez|readyz|metrics",status=~"5.."}[5m]))'
            },
        ),
        Graph(
            "99 of 100 take less than",
            "s",
            {
                "{{method}} {{route}}": "histogram_quantile(0.99, sum by (le, method, route)"
                f" (rate(ledger_request_seconds_bucket{API}[5m])))"
            },
        ),
    ),
    "Postings": (
        Graph(
            "Posted and declined",
            "reqps",
            {"{{type}} {{outcome}}": "sum by (type, outcome) (rate(ledger_postings_total[5m]))"},
        ),
        Graph(
            "Declines by reason, an hour",
            "short",
            {
                "{{outcome}}": "sum by (outcome) (max by (currency, type, outcome)"
                ' (increase(ledger_transactions_total{outcome!="posted"}[1h])))'
            },
        ),
        Graph(
            "Time of a commit, and postings run again",
            "short",
            {
                "99 of 100, s": "histogram_quantile(0.99,"
                " sum by (le) (rate(ledger_posting_seconds_bucket[5m])))",
                "run again, a second": "sum(rate(ledger_posting_retries_total[5m]))",
            },
        ),
    ),
    "Money": (
        Graph(
            "In and out, an hour",
            "short",
            {
                "{{currency}} {{type}}": "max by (currency, type)"
                ' (increase(ledger_transactions_amount_total{outcome="posted"}[1h]))'
            },
        ),
        Graph(
            "Owed to account holders, and set aside",
            "short",
            {
                "{{currency}} owed": "max by (currency) (ledger_liabilities)",
                "{{currency}} set aside": "max by (currency) (ledger_held)",
            },
        ),
        Graph(
            "Into the past (an hour), holds, corrections",
            "short",
            {
                "{{currency}} late": "max by (currency) (increase(ledger_transactions_late_total[1h]))",
                "open holds": "max(ledger_holds_open)",
                "corrections waiting": "max(ledger_corrections_waiting)",
            },
        ),
        Graph(
            "Claims: open, their rest, collections (an hour)",
            "short",
            {
                "{{currency}} open claims": "max by (currency) (ledger_claims_open)",
                "{{currency}} rest": "max by (currency) (ledger_owed)",
                "collections": "sum(increase(ledger_collections_total[1h]))",
            },
        ),
        Graph(
            "Thresholds crossed, an hour",
            "short",
            {"{{type}}": "sum by (type) (increase(ledger_crossings_total[1h]))"},
        ),
    ),
    "Feed and subscriptions": (
        Graph(
            "Waiting for a place",
            "short",
            {
                "events": "max(ledger_feed_pending_events)",
                "oldest, s": "max(ledger_feed_oldest_pending_seconds)",
            },
        ),
        Graph(
            "Behind",
            "s",
            {
                "{{subscription}}": "max by (subscription) (ledger_subscription_lag_seconds)",
                "the search": "max(ledger_search_behind_seconds)",
            },
        ),
        Graph(
            "Sent and failed",
            "reqps",
            {
                "{{subscription}} sent": "max by (subscription) (rate(ledger_deliveries_sent_total[5m]))",
                "{{subscription}} failed": "max by (subscription) (rate(ledger_deliveries_failed_total[5m]))",
            },
        ),
    ),
    "Servers": (
        Graph(
            "Lanes: busy and waiting",
            "short",
            {
                "{{lane}} busy": "sum by (lane) (ledger_lane_busy)",
                "{{lane}} waiting": "sum by (lane) (ledger_lane_waiting)",
                "{{lane}} refused, a second": "sum by (lane) (rate(ledger_lane_refused_total[5m]))",
            },
        ),
        Graph(
            "Processes: CPU",
            "percentunit",
            {"{{instance}} {{pid}}": 'rate(process_cpu_seconds_total{job=~"ledger-web|ledger-relay"}[5m])'},
        ),
        Graph(
            "Processes: memory",
            "bytes",
            {"{{instance}} {{pid}}": 'process_resident_memory_bytes{job=~"ledger-web|ledger-relay"}'},
        ),
        Graph(
            "Versions",
            "short",
            {"{{version}} {{commit}}": "count by (version, commit) (ledger_build_info)"},
        ),
        Graph(
            "Committed together",
            "short",
            {
                "{{of}}": "sum by (of) (rate(ledger_group_size_sum[5m]))"
                " / sum by (of) (rate(ledger_group_size_count[5m]))"
            },
        ),
    ),
    "Database": (
        Graph(
            "Connections",
            "short",
            {
                "{{state}}": "max by (state) (ledger_database_connections)",
                "at most": "max(ledger_database_connections_max)",
            },
        ),
        Graph("Size", "bytes", {"tables and indexes": "max(ledger_database_size_bytes)"}),
        Graph(
            "Replicas and slots",
            "short",
            {
                "{{replica}} behind, s": "max by (replica) (ledger_database_replica_lag_seconds)",
                "{{slot}} keeps, bytes": "max by (slot) (ledger_database_slot_retained_bytes)",
                "replicas": "max(ledger_database_replicas)",
            },
        ),
    ),
}


def find_expressions() -> Iterator[str]:
    for panels in ROWS.values():
        for panel in panels:
            yield from panel.lines.values() if isinstance(panel, Graph) else (panel.expression,)


def make_query(expression: str, legend: str, number: int) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(f"Q{number}")
    return query.datasource(SOURCE)


def make_graph(graph: Graph) -> timeseries.Panel:
    panel = timeseries.Panel().title(graph.title).unit(graph.unit).datasource(SOURCE).min(0)
    for number, (legend, expression) in enumerate(graph.lines.items()):
        panel = panel.with_target(make_query(expression, legend, number))
    return panel.span(WIDTH).height(HEIGHT)


def make_number(number: Number) -> stat.Panel:
    panel = stat.Panel().title(number.title).unit(number.unit).datasource(SOURCE)
    return panel.with_target(make_query(number.expression, "", 0)).span(WIDTH // 2).height(HEIGHT // 2)


def make_dashboard() -> str:
    """The text of the file."""
    made = dashboard.Dashboard("Ledger").uid("ledger").tags(["ledger"]).refresh("30s").time("now-6h", "now")
    made = made.readonly()
    made = made.with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    for title, panels in ROWS.items():
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(make_graph(panel) if isinstance(panel, Graph) else make_number(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


if __name__ == "__main__":
    FILE.write_text(make_dashboard())
