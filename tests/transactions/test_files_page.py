"""docs/files.md happens as it is written there, with the files of the banks that are made up."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from accounts.models import Account
from transactions.management import maps
from transactions.management.maps import form

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
FILES = Path(__file__).parent / "bank_files"
TEXT = PAGE.replace("\\\n", "")
COMMANDS = [shlex.split(line)[2:] for line in re.findall(r"^python manage\.py .*$", TEXT, re.MULTILINE)]


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_page_do_what_it_says(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in FILES.iterdir():
        shutil.copy(file, tmp_path)
    [map] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    Path("dkb.toml").write_text(map)
    assert map == (FILES / "dkb.toml").read_text()
    for name, *options in COMMANDS:
        said = command(0, name, *options)
    assert "posted" in said
    assert "there already" in said
    assert not re.search("│ posted", said)
    balances = Account.objects.filter(version__gt=0).values_list("user__external_id", "currency", "balance")
    assert {(who, currency): f"{balance:.2f}" for who, currency, balance in balances} == {
        ("stripe", "USD"): "998.95",
        ("paypal", "USD"): "9.41",
        ("wise", "EUR"): "72.03",
        ("revolut", "EUR"): "124.80",
        ("house-bank", "EUR"): "419.30",
        ("DE00123456780000000001", "EUR"): "1149.50",
        ("0815", "USD"): "7.50",
        ("card", "EUR"): "95.00",
    }


def test_the_page_names_every_map_and_every_part_of_one():
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \| .* \| .* \|$", PAGE, re.MULTILINE)) == set(
        maps.list_shipped()
    )
    parts = [
        *form.Map.__dataclass_fields__,
        *form.Amount.__dataclass_fields__,
        *form.Time.__dataclass_fields__,
        *form.Key.__dataclass_fields__,
    ]
    named = set(re.findall(r"`\[?(\w+)\]?`", PAGE))
    assert set(parts) - named == set()
