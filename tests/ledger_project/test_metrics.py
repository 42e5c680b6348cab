"""What the metrics say, beside the database and the processes that they are of."""

import gc
import json
import os
import subprocess
import sys
import weakref
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest
import structlog
from django.db import OperationalError, ProgrammingError, connection
from django.test import RequestFactory
from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from accounts.models import Account
from events.relay import Relay
from ledger import __version__
from ledger.figures import DatabaseCollector, gauge
from ledger_project import metrics, metrics_port
from ledger_project.environment import name_process
from ledger_project.server.lanes import Lane
from tests import cast, counted
from tests.database import execute
from tests.office.staff import make_staff
from tests.scraping import read, scrape_relay
from tests.transactions.correcting import adjust, approve
from transactions.metrics import MoneyMetrics
from transactions.models import Figures, HourlyTotal

pytestmark = pytest.mark.django_db


def test_a_scrape_leaves_nothing_behind(rf):
    request = rf.get("/metrics")
    gone = weakref.ref(request)
    assert metrics.serve_metrics(request).status_code == 200
    del request
    gc.collect()
    assert gone() is None


@pytest.fixture
def everything_settled(monkeypatch):
    """So that what was just posted is counted."""
    monkeypatch.setattr("transactions.reading.statistics.SETTLED_AFTER", timedelta(0))


def collect(collector):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("everything_settled")
def test_the_money_is_that_of_the_ledger():
    dollars, euros = (cast.AccountFactory(currency=currency) for currency in ("USD", "EUR"))
    cast.deposit(dollars, "100", effective_at=cast.day("2023-02-01"))
    cast.deposit(dollars, "10", effective_at=cast.day("2023-01-01"))  # late
    cast.deposit(euros, "7")
    cast.withdraw(dollars, "30.50")
    cast.withdraw(dollars, "999")  # declined
    cast.hold(dollars, "4")
    counted.refresh()
    found = collect(MoneyMetrics())
    assert found["ledger_transactions_total", "USD", "DEPOSIT", "posted"] == 2
    assert found["ledger_transactions_total", "USD", "WITHDRAW", "insufficient_funds"] == 1
    assert found["ledger_transactions_amount_total", "USD", "WITHDRAW", "posted"] == 30.5
    assert found["ledger_transactions_late_total", "USD"] == 1
    assert found["ledger_held", "USD"] == 4
    for account in Account.objects.all():
        assert found["ledger_liabilities", account.currency] == account.balance
    through = Figures.objects.get().counted_through.timestamp()
    assert found[("ledger_figures_timestamp_seconds",)] == pytest.approx(through)


def test_hours_that_are_over_are_read_once(django_assert_num_queries):
    now = cast.day("2024-05-05T12:30")
    figures = Figures.objects.create(counted_through=now)
    row = {"currency": "USD", "type": "DEPOSIT", "outcome": "posted", "amount": Decimal(5)}
    for hours, count in ((50, 1), (1, 2), (0, 4)):
        hour = now.replace(minute=0) - timedelta(hours=hours)
        HourlyTotal.objects.create(hour=hour, count=count, **row)
    money = MoneyMetrics()
    key = ("ledger_transactions_total", "USD", "DEPOSIT", "posted")
    assert collect(money)[key] == 7
    HourlyTotal.objects.filter(count=1).delete()  # what is over is not read again
    HourlyTotal.objects.create(hour=now.replace(minute=0) + timedelta(hours=1), count=8, **row)
    figures.counted_through = now + timedelta(hours=1)
    figures.save()
    for _ in range(2):
        assert collect(money)[key] == 15
    with django_assert_num_queries(2):
        collect(money)
    assert collect(MoneyMetrics())[key] == 14


def test_a_ledger_where_nothing_was_ever_counted_or_audited_says_so():
    found = scrape_relay()
    for name in ("figures_timestamp_seconds", "audit_clean_timestamp_seconds", "audit_findings"):
        assert found[f"ledger_{name}"] == 0


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_people_and_for_its_end_is_a_number(rich):
    maker, checker = make_staff("operations"), make_staff("operations")
    correction = adjust(rich, maker, "500")
    found = scrape_relay()
    assert found["ledger_corrections_waiting"] == 1
    assert 0 < found["ledger_corrections_oldest_waiting_seconds"] < 60
    approve(correction, checker)
    cast.hold(rich, "1")
    assert scrape_relay()["ledger_hold_end_late_seconds"] == 0
    cast.hold_that_expires(rich, "1")
    found = scrape_relay()
    assert (found["ledger_corrections_waiting"], found["ledger_holds_open"]) == (0, 2)
    assert 0 < found["ledger_hold_end_late_seconds"] < 60
    before = REGISTRY.get_sample_value("ledger_holds_expired_total")
    Relay().run(once=True)
    assert scrape_relay()["ledger_hold_end_late_seconds"] > 0  # it has no chores
    from transactions import posting

    assert posting.expire_some() == 1
    assert REGISTRY.get_sample_value("ledger_holds_expired_total") == before + 1
    found = scrape_relay()
    assert (found["ledger_hold_end_late_seconds"], found["ledger_holds_open"]) == (0, 1)


def test_the_database_tells_how_it_is():
    found = scrape_relay()
    [[max_connections]] = execute("SELECT current_setting('max_connections')::int")
    assert max_connections - 10 < found["ledger_database_connections_max"] < max_connections
    assert found["ledger_database_xid_age"] > 0
    assert found["ledger_database_size_bytes"] > 1_000_000
    assert found["ledger_database_archive_failures_total"] == found["ledger_database_archiving"] == 0
    assert found["ledger_database_checksum_failures"] == found["ledger_database_replicas"] == 0


def test_a_slot_that_nobody_reads_is_seen():
    execute("SELECT FROM pg_create_physical_replication_slot('of_a_dead_replica', true)")
    try:
        found = scrape_relay()
        assert found['ledger_database_slot_active{slot="of_a_dead_replica"}'] == 0
        assert found['ledger_database_slot_retained_bytes{slot="of_a_dead_replica"}'] >= 0
    finally:
        execute("SELECT FROM pg_drop_replication_slot('of_a_dead_replica')")


def test_migrations_that_are_missing_are_counted():
    assert scrape_relay()["ledger_migrations_pending"] == 0
    execute("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)")
    assert scrape_relay()["ledger_migrations_pending"] == 1


class Failing(DatabaseCollector):
    def __init__(self, error):
        self.error = error

    def read(self):
        yield gauge("one", "", 1)
        raise self.error


def test_what_the_database_does_not_answer_is_left_out_and_said():
    with structlog.testing.capture_logs() as lines:
        assert list(Failing(OperationalError("away")).collect()) == []
        assert lines == []
        assert list(Failing(ProgrammingError("no such column")).collect()) == []
    assert [line["event"] for line in lines] == ["figures_not_read"]


def test_it_is_known_what_runs(client, settings):
    settings.COMMIT = "7d456da"
    for text in (client.get("/metrics").content.decode(), str(scrape_relay())):
        assert 'ledger_build_info{commit="7d456da",python="3.' in text
        assert f'version="{__version__}"' in text
    assert "ledger_build_info" in text


def test_a_lane_says_how_full_it_is():
    lane = Lane("of a test", threads=2, places=8, body_max=1)
    for number in range(5):
        lane.enter(str(number))
    lane.show()
    parts = ("busy", "waiting", "threads", "places")
    values = [REGISTRY.get_sample_value(f"ledger_lane_{part}", {"lane": "of a test"}) for part in parts]
    assert values == [2, 3, 2, 8]
    lane.pool.shutdown()


def test_processes_are_told_apart_and_the_dead_are_forgotten(tmp_path, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"counter_{os.getpid()}.db", f"gauge_livesum_{gone.pid}.db", f"counter_{gone.pid}.db"):
        (tmp_path / name).touch()
    monkeypatch.setenv(metrics.MULTIPROCESS, str(tmp_path))
    assert metrics.find_workers() == [os.getpid()]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"counter_{os.getpid()}.db", f"counter_{gone.pid}.db"}  # what it has counted stays
    families: list[Metric] = list(metrics.ProcessMetrics(lambda: [os.getpid(), os.getppid()]).collect())
    memory = next(family for family in families if family.name == "process_resident_memory_bytes")
    assert [sample.labels["pid"] for sample in memory.samples] == [str(os.getpid()), str(os.getppid())]
    assert all(sample.value > 1_000_000 for sample in memory.samples)
    assert {"process_cpu_seconds", "process_open_fds", "process_start_time_seconds"} < {
        family.name for family in families
    }


def ask(port, path, **headers):
    answer = httpx2.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=20, trust_env=False)
    return answer.status_code, answer.text


@pytest.mark.django_db(transaction=True)
def test_a_relay_can_be_watched_at_a_port_of_its_own(account, monkeypatch, settings):
    relay = Relay()
    with metrics_port.listen(relay, "127.0.0.1", 0) as server:
        port = server.server_port
        assert ask(port, "/livez") == (200, '{"status": "ok"}')
        relay.beat_at -= 61
        status, text = ask(port, "/livez")
        assert (status, json.loads(text)["silent_seconds"]) == (503, 61)
        status, text = ask(port, "/metrics")
        assert (status, read(text)["ledger_feed_pending_events"]) == (200, 2)
        assert ask(port, "/api/v1/users")[0] == 404
        settings.METRICS_PUBLIC = False
        assert json.loads(ask(port, "/metrics")[1])["code"] == "not_authenticated"
        allowed = {"Authorization": f"Bearer {cast.issue_token('monitoring')}"}
        assert ask(port, "/metrics", **allowed)[0] == 200
        settings.METRICS_PUBLIC = True
        monkeypatch.setattr(metrics, "OF_DATABASE", (1,))  # a fault of ours
        assert ask(port, "/metrics")[0] == 500
    with pytest.raises(httpx2.ConnectError):
        ask(port, "/livez")


def test_a_loop_that_goes_round_beats_with_a_database_or_without():
    relay = Relay(chores=(lambda: relay.stop(), lambda: (_ for _ in ()).throw(OperationalError)))
    relay.beat_at = 0
    relay.run()
    assert relay.beat_at > 0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["manage.py", "relay_events", "--once"], "ledger relay_events"),
        (["/srv/ledger/manage.py"], "ledger manage.py"),
        (["/srv/ledger/ledger_project/server/__main__.py", "--port", "8080"], "ledger server"),
        (["/usr/bin/pytest"], "ledger pytest"),
        ([], "ledger "),
    ],
)
def test_a_process_has_a_name_for_the_database(arguments, name):
    assert name_process(arguments) == name


def test_the_database_knows_who_has_which_connection():
    [[name]] = execute("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert name == name_process(sys.argv)
    assert connection.settings_dict["OPTIONS"]["fallback_application_name"] == name


def test_a_server_tells_nothing_of_the_database(client):
    text = client.get("/metrics").content.decode()
    assert "ledger_requests" in text
    for name in ("ledger_database", "ledger_feed", "ledger_liabilities", "ledger_audit"):
        assert name not in text
    assert metrics.serve_metrics(RequestFactory().post("/metrics")).status_code == 405
