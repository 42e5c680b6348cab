"""docs/operations/people.md: staff are let in, and a person is told everything and then forgotten."""

import json

import pytest

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]
ROWS = """key,external_id,currency,type,amount,effective_at
1,petya-77,USD,DEPOSIT,5,2023-01-01T00:00:00Z
"""


def test_a_person_is_told_everything_and_forgotten(open_world):
    world = open_world("operations/people.md")
    (world.home / "rows.csv").write_text(ROWS)
    world.shell("python manage.py import_transactions rows.csv --source old --create-users")
    world.names["USER_ID"] = world.query("SELECT id FROM accounts_user WHERE external_id = 'petya-77'")
    world.run("Who comes into the office")
    staff = "SELECT string_agg(username, ' ' ORDER BY username) FROM accounts_user WHERE is_superuser"
    assert world.query(staff) == "anna boris"
    assert "boris had no authenticator app." in world.run("Back office")

    output = world.run("Forgetting a person, and telling them what you have")
    told = json.loads((world.home / "person.json").read_text())
    assert "petya-77" in json.dumps(told)
    assert (world.home / "person").is_dir()
    assert "Would be erased:" in output
    assert "The person is forgotten." in output
    gone = f"SELECT external_id IS NULL FROM accounts_user WHERE id = '{world.names['USER_ID']}'"
    assert world.query(gone) == "t"
    world.shell("python manage.py audit_balances", role="ledger_maintenance")
    world.require_all_run()
