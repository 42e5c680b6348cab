"""The audit that the relay begins: when it is due, in a process of its own, and one at a time."""

import time
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from ledger_project import auditing
from ledger_project.auditing import Auditor
from ledger_project.database.addresses import as_maintenance
from ledger_project.database.embedded import EmbeddedPostgres
from ledger_project.database.locks import if_free
from ledger_project.management.commands.audit_when_due import LOCK
from tests.cast import AccountFactory
from tests.servers import wait_for
from tests.service import Service, is_gone
from tests.transactions.test_audits import break_balance
from transactions.models import AuditRun

every_hour = pytest.fixture(lambda settings: setattr(settings, "AUDIT_EVERY_MINUTES", 60))


@pytest.mark.usefixtures("every_hour")
@pytest.mark.django_db(transaction=True)
def test_it_audits_what_is_new_when_that_is_due_and_not_before():
    from django.db import connection

    AccountFactory(funds="5")
    call_command("audit_when_due")
    first = AuditRun.objects.get()
    assert (first.is_whole, first.findings, first.rows, first.since) == (True, 0, 1, None)
    call_command("audit_when_due")
    assert AuditRun.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE transactions_auditrun SET finished_at = now() - interval '61 minutes'")
    call_command("audit_when_due")
    assert AuditRun.objects.latest("finished_at").since == first.seen_through


@pytest.mark.usefixtures("every_hour")
@pytest.mark.django_db(transaction=True)
def test_while_another_one_is_under_way_none_begins():
    from django.db import connection

    AccountFactory(funds="5")
    with if_free(connection, LOCK) as is_ours:
        assert is_ours
        with if_free(connection, LOCK) as is_free:
            assert not is_free
        call_command("audit_when_due")
        assert not AuditRun.objects.exists()
    call_command("audit_when_due")
    assert AuditRun.objects.count() == 1


@pytest.mark.usefixtures("every_hour")
@pytest.mark.django_db(transaction=True)
def test_what_is_found_has_a_status_that_no_fault_of_a_program_has():
    account = AccountFactory(funds="5")
    break_balance(account)
    with pytest.raises(SystemExit) as ended:
        call_command("audit_when_due")
    assert ended.value.code == auditing.FOUND != 1
    assert AuditRun.objects.get().findings > 0


@pytest.mark.django_db
def test_without_the_setting_none_is_ever_due(settings):
    assert settings.AUDIT_EVERY_MINUTES == 0
    with pytest.raises(CommandError, match="AUDIT_EVERY_MINUTES is 0"):
        call_command("audit_when_due")


@pytest.mark.django_db(transaction=True)
def test_it_goes_by_the_address_of_the_maintenance_role(settings):
    from django.db import connection

    own = connection.settings_dict["OPTIONS"].get("application_name")
    settings.AUDIT_DATABASE = {
        **{key: connection.settings_dict[key] for key in ("ENGINE", "HOST", "PORT", "USER", "PASSWORD")},
        "NAME": "another",
        "OPTIONS": {"application_name": "the auditor"},
    }
    ask = "SELECT current_setting('application_name'), current_database()"
    with as_maintenance(connection), connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        assert cursor.execute(ask).fetchone() == ("the auditor", name)
    assert connection.settings_dict["OPTIONS"].get("application_name") == own


@pytest.mark.django_db
def test_an_audit_that_fails_is_told_and_tried_again_a_minute_later(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "no address at all")
    auditor = Auditor(timedelta(hours=1))
    auditor()
    first = auditor.process
    assert first is not None
    first.wait(60)
    with capture_logs() as logs:
        auditor()
        auditor()
    [told] = [each for each in logs if each["event"] == "audit_failed"]
    assert (told["log_level"], told["status"] != 0) == ("error", True)
    assert "no address at all" not in told["error"]
    assert auditor.process is None
    assert 0 < auditor.look_at - time.monotonic() <= auditing.LOOK_SECONDS


def test_the_relay_audits_by_itself_and_an_audit_ends_with_it(tmp_path):
    service = Service(tmp_path / "var", {"AUDIT_EVERY_MINUTES": "60"}).start()
    try:
        with psycopg.connect(
            host=str(EmbeddedPostgres(service.var / "postgres").socket_folder),
            user="postgres",
            dbname="ledger",
            autocommit=True,
        ) as database:

            def count():
                return database.execute("SELECT count(*) FILTER (WHERE is_whole) FROM transactions_auditrun")

            wait_for(lambda: count().fetchone() == (1,), 60)
            relay = service.find_relay()
            wait_for(lambda: relay.children() == [], 30)
        wait_for(lambda: '"audit_ended"' in service.output, 30)
    finally:
        assert service.stop() == 0
    assert is_gone(relay.pid)
