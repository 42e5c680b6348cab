"""House rules that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from api.errors import STATUS
from events.errors import LedgerError
from tests.mutants import MUTANTS
from transactions.errors import DECLINES

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("api", "events", "accounts", "transactions", "ledger_project", "examples")
SOURCES = [path for package in (*PACKAGES, "tests") for path in sorted((ROOT / package).rglob("*.py"))]
WRITTEN = [path for path in SOURCES if path.name != "0001_initial.py"]  # the others are by hand
CODE = [path for path in SOURCES if not {"tests", "migrations"} & set(path.parts)]
DOMAIN = {"errors", "models", "operations", "posting", "queries", "outbox", "wire", "currencies", "identity"}
DOMAIN |= {"orders", "chain", "ledger_sql", "feed", "upkeep", "relay", "subscriptions", "deliveries"}
DOMAIN |= {"webhooks", "brokers", "targets", "audit", "audit_sql", "anchors", "guards"}
DOMAIN |= {"comparison", "exports", "imports", "staging"}


CODE = [path for path in CODE if path.parent.name != "api" or path.stem not in DOMAIN]


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", WRITTEN, ids=name)
def test_files_and_functions_stay_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 70, node.name


def test_no_file_has_a_name_that_says_nothing():
    nothing = {"utils.py", "helpers.py", "common.py", "base.py", "core.py", "misc.py", "services.py"}
    assert not [name(path) for path in SOURCES if path.name in nothing]


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.stem in DOMAIN and "tests" not in path.parts], ids=name
)
def test_the_domain_knows_no_http(path):
    if path.parent.name == "api":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not [m for m in imported if m.split(".")[0] in {"rest_framework", "api"} or m == "django.http"]


def test_only_posting_and_its_statement_write_the_ledger():
    writing = re.compile(
        r"(INSERT INTO|UPDATE|DELETE FROM) (transactions_|accounts_account|accounts_hold|events_)"
    )
    allowed = {"transactions/ledger_sql.py", "accounts/holds.py", "events/outbox.py"}
    allowed |= {"events/feed.py", "events/upkeep.py"}  # places and epochs, not events
    found = {
        name(p)
        for p in SOURCES
        if "migrations" not in p.parts and "tests" not in p.parts and writing.search(p.read_text())
    }
    assert found == allowed


def test_signals_are_used_once():
    uses = [
        name(path) for path in SOURCES if re.search(r"\.connect\(create_groups|@receiver", path.read_text())
    ]
    assert uses == ["ledger_project/apps.py", "tests/test_architecture.py"]


def refusals(kind=LedgerError):
    for refusal in kind.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def test_every_refusal_and_every_decline_has_a_status():
    assert {refusal.code for refusal in refusals()} <= set(STATUS)
    assert set(DECLINES) <= set(STATUS)


def test_the_error_page_lists_every_code_with_its_status():
    listed = re.findall(r"^\| `(\w+)` \| (\d+) \|", (ROOT / "docs/errors.md").read_text(), flags=re.M)
    assert {code: int(status) for code, status in listed} == STATUS
    assert len(listed) == len(STATUS)


def test_every_command_is_tested():
    commands = {p.stem for p in SOURCES if p.parent.name == "commands" and p.stem != "__init__"}
    tests = " ".join(p.read_text() for p in SOURCES if "tests" in p.parts)
    assert {command for command in commands if f'"{command}"' not in tests} == set()


def test_every_setting_of_the_environment_is_in_the_example():
    read = re.findall(
        r'(?:env\.\w+|read_secret)\(\s*"(\w+)"', (ROOT / "ledger_project/settings.py").read_text()
    )
    listed = re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), flags=re.M)
    assert set(read) == set(listed)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_has_its_line_and_its_test(mutant):
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    file, _, test = mutant.test.partition("::")
    assert f"def {test}(" in (ROOT / file).read_text()
