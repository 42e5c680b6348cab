"""Alarms and dashboard: each alarm is tried and described, and what both ask for is really told."""

import re
import subprocess

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY, generate_latest

from deploy import dashboard
from ledger_project import metrics
from ledger_project.server import lanes  # noqa: F401, whose metrics are those of a server
from tests.database import execute
from tests.programs import require
from tests.scraping import find_names

pytestmark = pytest.mark.drill

DEPLOY = settings.BASE_DIR / "deploy"
TESTS = ("alerts_test.yaml", "alerts_of_a_week_test.yaml")
GROUPS = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
ALARMS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
PAGE = (settings.BASE_DIR / "docs/alarms.md").read_text()
METRIC = re.compile(r"\b(?:ledger|process|node|pg|probe)[_:][\w:]+|\bup\b")
# What others export, which no test has running.
OF_OTHERS = {
    "up",  # Prometheus' own
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "probe_ssl_earliest_cert_expiry",
}


def find_metrics(expression):
    """The names of the metrics in an expression: not those in what labels are like, or are grouped by."""
    return set(METRIC.findall(re.sub(r"\{[^}]*\}|\b(?:by|without|on|ignoring)\s*\([^)]*\)", "", expression)))


def find_quoted(*beginnings):
    """What stands between backticks on the page of alarms and begins like that, with nothing left out."""
    quoted = (" ".join(text.split()) for text in re.findall(r"`([^`]+)`", PAGE))
    return [
        text for text in quoted if text.startswith(beginnings) and "…" not in text and "(pid)" not in text
    ]


EXPRESSIONS = [*(rule["expr"] for rule in RULES), *dashboard.find_expressions()]


@pytest.fixture(scope="module")
def promtool():
    found = require("promtool", "prometheus")

    def run(*arguments, sent=None):
        return subprocess.run([found, *arguments], input=sent, cwd=DEPLOY, capture_output=True, text=True)

    return run


@pytest.fixture
def told(db):
    """The names of what a server and a relay tell, as they are scraped."""
    relay = metrics.serve_relay_metrics(RequestFactory().get("/metrics")).content.decode()
    return find_names(relay) | find_names(Client().get("/metrics").content.decode())


def test_the_rules_and_the_example_of_a_configuration_are_prometheus_own(promtool):
    for what, file in (("rules", "alerts.yaml"), ("config", "prometheus.yaml")):
        checked = promtool("check", what, file)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("file", TESTS)
def test_each_alarm_is_quiet_and_rings_when_it_should(promtool, file):
    tried = promtool("test", "rules", file)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_each_alarm_is_tried_both_ways():
    tried = {}
    for file in TESTS:
        for test in yaml.safe_load((DEPLOY / file).read_text())["tests"]:
            asked = test["promql_expr_test"]
            assert all(f'alertname="{test["name"]}"' in each["expr"] for each in asked)
            tried[test["name"]] = [bool(each["exp_samples"]) for each in asked]
    assert tried == {alarm["alert"]: [False, True] for alarm in ALARMS}


def test_each_alarm_has_its_section_in_their_order_and_says_where():
    names = [alarm["alert"] for alarm in ALARMS]
    assert re.findall(r"^## (\w+)$", PAGE, flags=re.M) == names
    sections = re.split(r"^## \w+$", PAGE, flags=re.M)[1:]
    for alarm, section in zip(ALARMS, sections, strict=True):
        severity = alarm["labels"]["severity"]
        assert section.strip().startswith(f"{severity.capitalize()}. ")
        assert alarm["annotations"]["summary"]
        assert alarm["annotations"]["runbook_url"].endswith(f"/docs/alarms.md#{alarm['alert'].lower()}")


def test_what_alarms_and_dashboard_ask_for_is_told(told):
    wanted = set().union(*map(find_metrics, EXPRESSIONS))
    assert len(wanted) > 40
    assert wanted - told - RECORDED - OF_OTHERS == set()
    assert "ledger_of_nothing_total" in find_metrics('sum(rate(ledger_of_nothing_total{a="up"}[5m])) by (up)')


def test_what_is_told_has_names_that_prometheus_approves_of(promtool, db):
    relay = metrics.serve_relay_metrics(RequestFactory().get("/metrics")).content
    for text in (relay, generate_latest(REGISTRY)):
        checked = promtool("check", "metrics", sent=text.decode())
        assert [line for line in checked.stderr.splitlines() if line.startswith("ledger_")] == []
    assert "ledger_x" in promtool("check", "metrics", sent="# TYPE ledger_x counter\nledger_x 1\n").stderr


@pytest.mark.django_db
def test_what_the_page_asks_the_database_can_be_asked():
    statements = find_quoted("select ")
    assert len(statements) >= 6
    for statement in statements:
        execute(statement)


def test_what_the_page_runs_and_asks_prometheus_exists(promtool, tmp_path, told):
    commands = {text.split()[1] for text in find_quoted("manage.py ")}
    assert len(commands) >= 6
    assert commands <= set(get_commands())
    asked = find_quoted("topk(", "sum(", "count by")
    assert len(asked) >= 3
    assert set().union(*map(find_metrics, asked)) <= told
    check_expressions(promtool, tmp_path, asked)


def check_expressions(promtool, folder, expressions):
    rules = [
        {"record": f"of:panel:{number}", "expr": expression} for number, expression in enumerate(expressions)
    ]
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    checked = promtool("check", "rules", str(file))
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


def test_the_dashboard_is_what_its_program_makes():
    assert dashboard.FILE.read_text() == dashboard.make_dashboard(), "run: python -m deploy.dashboard"


def test_each_expression_of_the_dashboard_is_one(promtool, tmp_path):
    expressions = list(dashboard.find_expressions())
    check_expressions(promtool, tmp_path, expressions)
    with pytest.raises(AssertionError):
        check_expressions(promtool, tmp_path, [*expressions, f"{expressions[0]})"])


def test_every_expression_is_in_the_file_that_grafana_reads():
    text = dashboard.FILE.read_text()
    for expression in dashboard.find_expressions():
        assert expression.replace('"', '\\"') in text
