"""docs/operations/keys.md: each key is changed, and what was signed and issued before is good."""

import json

import pytest

from tests.operations.ledger import Ledger

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]
KEYS = ("SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY")


def test_keys_are_changed_one_after_the_other_and_nothing_of_before_is_lost(open_world):
    world = open_world("operations/keys.md")
    keys = world.folder / "etc/ledger/keys.env"
    keys.write_text(f"{keys.read_text()}export WEBHOOK_LOOPBACK=true\n")
    ledger = Ledger(world).start()
    account = ledger.make_account("petya")
    ledger.deposit(account)
    _, page = ledger.send("GET", "/api/v1/events?limit=1")
    world.shell("python manage.py export_anchor old-anchor.jsonl", role="ledger_maintenance")
    webhook = {"kind": "webhook", "url": "http://127.0.0.1:1/hook"}
    status, subscription = ledger.send("POST", "/api/v1/subscriptions", webhook)
    assert status == 201, subscription
    before = read_keys(world)

    world.names |= {"SUBSCRIPTION_ID": subscription["id"], "TOKEN_KEY": ledger.issue("old", "api-read")[:15]}
    (world.home / "admin.token").write_text(ledger.admin)
    blocks = [block for block in world.left if block.section == "Changing a key"]
    world.run("Changing a key", count=len(blocks) - 1)
    changed = {name: value != before[name] for name, value in read_keys(world).items()}
    assert changed == dict.fromkeys(KEYS, True)
    world.stop()
    world.shell("python manage.py check --database default --fail-level WARNING")
    ledger.start()
    world.run("Changing a key")
    secret = json.loads((world.home / "secret.json").read_text())["secret"]
    assert secret != subscription["secret"]

    assert ledger.send("GET", f"/api/v1/events?after={page['cursor']}")[0] == 200
    ledger.deposit(account)
    for command in ("audit_balances", "verify_anchor old-anchor.jsonl"):
        world.shell(f"python manage.py {command}", role="ledger_maintenance")
    assert len(world.run("Tokens").split()) == 4 + 2 * len(["Made", "the", "service", "user", "x."])
    assert "ads" in world.run("Tokens that end", count=1)
    assert "revoked" in world.run("Tokens that end")
    assert keys.stat().st_mode & 0o077 == 0
    world.require_all_run()


def read_keys(world):
    output = world.shell("env")
    found = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return {name: found[name] for name in KEYS}
