"""The proxy knows a COMMIT however it is sent, and nothing else for one."""

import psycopg
import pytest
from django.db import connection

from tests.faults.proxy import CUT_AFTER, CUT_BEFORE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(proxy):
    database = connection.settings_dict
    options = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    with psycopg.connect(**options, dbname=database["NAME"], autocommit=True) as session:
        yield session


@pytest.mark.parametrize("harm", [CUT_BEFORE, CUT_AFTER])
@pytest.mark.parametrize(
    "how", [{}, {"binary": True}, {"prepare": True}], ids=["simple", "extended", "prepared"]
)
def test_a_commit_is_known_however_it_is_sent(proxy, session, harm, how):
    proxy.harm(harm)
    session.execute("BEGIN")
    assert session.execute("SELECT 'COMMIT'", **how).fetchone() == ("COMMIT",)
    assert not proxy.harmed
    with pytest.raises(psycopg.OperationalError):
        session.execute("COMMIT", **how)
    assert proxy.harmed == {harm: 1}


def test_what_is_large_passes_through_unchanged(session):
    text = "x" * 5_000_000
    assert session.execute("SELECT %s::text", [text]).fetchone() == (text,)
