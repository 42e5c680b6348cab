"""Settings that are wrong are named, each by its own sentence, before anything starts."""

import json
import re
import runpy

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from ledger_project import checks
from tests.ledger_project.test_commands import run
from tests.offering import forget
from tests.servers import PROJECT

KEYS = {name: f"a key of its own for {name}: hunter2" for name in checks.KEYS}
LONG = "another key of more than thirty-two bytes: hunter2"
ELSEWHERE = {"DATABASE_URL": "postgres://ledger:hunter2@db.internal:5432/ledger"}
CHECKED = (
    *("EMBEDDED_POSTGRES", "VAR", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "CHAIN_KEY", "CHAIN_KEY_FALLBACKS"),
    *("SECOND_FACTOR_KEY", "SECOND_FACTOR_KEY_FALLBACKS"),
    *("AUDIT_EVERY_MINUTES", "AUDIT_DATABASE", "WEBHOOK_ALLOWED_NETWORKS", "WEBHOOK_ALLOWED_HOSTS"),
    *("WEBHOOK_KEY", "ANCHOR_KEY", "CURRENCIES", "CUSTOM_CURRENCIES", "DEFAULT_CURRENCY", "APPROVAL_ABOVE"),
)
EXAMPLE = re.findall(r"^#(\w*_KEY(?:_FALLBACKS)?)=(.+)", (PROJECT / ".env.example").read_text(), flags=re.M)
WRONG = [
    ("E001", {"WORKERS": "two"}, "WORKERS is 'two'"),
    ("E001", {"WORKERS": "0"}, "1 or more"),
    ("E001", {"LANE_THREADS": "1.5"}, "LANE_THREADS is '1.5'"),
    ("E001", {"SESSION_SECONDS": ""}, "SESSION_SECONDS is ''"),
    ("E001", {"DATABASE_CONN_MAX_AGE": "-1"}, "0 or more"),
    ("E001", {"BODY_SECONDS": "10 s"}, "BODY_SECONDS is '10 s'"),
    ("E001", {"BODY_SECONDS": "nan"}, "above 0"),
    ("E001", {"RELAY_LEASE_SECONDS": "0"}, "above 0"),
    ("E001", {"GATHER_SECONDS": "inf"}, "0 or more"),
    ("E001", {"SECOND_FACTOR": "ture"}, "true or false"),
    ("E001", {"DEBUG": ""}, "true or false"),
    ("E001", {"LOG_LEVEL": "LOUD"}, "DEBUG, INFO"),
    ("E001", {"DATABASE_URL": "mysql://ledger:hunter2@db.internal/ledger"}, "DATABASE_URL"),
    ("E001", {"DATABASE_URL": "postgres://ledger:hunter2@db.internal:port/ledger"}, "DATABASE_URL"),
    ("E001", {"DATABASE_URL": "postgres://ledger:hunter2@db.internal"}, "DATABASE_URL"),
    ("E001", {"BROKER_URL": "http://ledger:hunter2@broker.internal"}, "BROKER_URL"),
    ("E001", {"BROKER_URL": "amqp://ledger:hunter2@broker.internal:x//"}, "BROKER_URL"),
    ("E001", {"CUSTOM_CURRENCIES": "POINTS=none"}, "POINTS=none"),
    ("E001", {"CUSTOM_CURRENCIES": "POINTS"}, "write it as in"),
    ("E001", {"CUSTOM_CURRENCIES": "POINTS=0;POINTS=2"}, "POINTS twice"),
    ("E001", {"APPROVAL_ABOVE": "USD=much"}, "USD=much"),
    ("E002", {"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    ("E002", {"CHAIN_KEY": ""}, "CHAIN_KEY is not set"),
    ("E002", {"CHAIN_KEY": None, **ELSEWHERE}, "CHAIN_KEY is not set"),
    ("E002", {"WEBHOOK_KEY": "   "}, "WEBHOOK_KEY is not set"),
    ("E003", {"WEBHOOK_KEY": "hunter2"}, "WEBHOOK_KEY"),
    ("E003", {"ANCHOR_KEY": "ab" * 40}, "ANCHOR_KEY"),
    ("E003", {"SECRET_KEY_FALLBACKS": f"{LONG},hunter2"}, "SECRET_KEY_FALLBACKS"),
    ("E003", {"SECOND_FACTOR_KEY_FALLBACKS": "hunter2"}, "SECOND_FACTOR_KEY_FALLBACKS"),
    ("E004", {"SECRET_KEY": "django-insecure-" + LONG}, "SECRET_KEY"),
    *(("E004", {name: text}, f"{name} is an example") for name, text in EXAMPLE if "PUBLIC" not in name),
    ("E005", {"CHAIN_KEY": KEYS["SECRET_KEY"]}, "CHAIN_KEY is the same as SECRET_KEY"),
    ("E005", {"CHAIN_KEY_FALLBACKS": KEYS["CHAIN_KEY"]}, "CHAIN_KEY_FALLBACKS is the same as CHAIN_KEY"),
    ("E006", {"CURRENCIES": "USD,eur"}, "CURRENCIES has 'eur'"),
    ("E006", {"CUSTOM_CURRENCIES": "two words=2"}, "'two words'"),
    ("E006", {"CUSTOM_CURRENCIES": "LONGERTHANTWELVE=2"}, "2 to 12"),
    ("E007", {"CURRENCIES": "USD,ZZZ"}, "CURRENCIES has ZZZ"),
    ("E007", {"CURRENCIES": "USD;XAU"}, "CURRENCIES has XAU"),
    ("E008", {"CUSTOM_CURRENCIES": "ETH=18"}, "ETH 18 decimals"),
    ("E008", {"CUSTOM_CURRENCIES": "NEG=-1"}, "NEG -1 decimals"),
    ("E009", {"CUSTOM_CURRENCIES": "JPY=2"}, "ISO 4217 gives it 0"),
    ("E009", {"CUSTOM_CURRENCIES": "EUR=4"}, "ISO 4217 gives it 2"),
    ("E010", {"DEFAULT_CURRENCY": "CHF"}, "DEFAULT_CURRENCY is 'CHF'"),
    ("E010", {"CURRENCIES": "EUR;GBP"}, "DEFAULT_CURRENCY is 'USD'"),
    ("E011", {"APPROVAL_ABOVE": "MILES=100"}, "APPROVAL_ABOVE has 'MILES'"),
    ("E012", {"APPROVAL_ABOVE": "USD=-1"}, "0 or more"),
    ("E001", {"AUDIT_EVERY_MINUTES": "hourly"}, "AUDIT_EVERY_MINUTES is 'hourly'"),
    ("E001", {"AUDIT_EVERY_MINUTES": "-1"}, "0 to 525600"),
    ("E001", {"AUDIT_EVERY_MINUTES": "525601"}, "0 to 525600"),
    ("E001", {"AUDIT_DATABASE_URL": "mysql://hunter2@db.internal/ledger"}, "AUDIT_DATABASE_URL"),
    ("E015", {**ELSEWHERE, "AUDIT_EVERY_MINUTES": "5"}, "AUDIT_DATABASE_URL"),
    ("E012", {"APPROVAL_ABOVE": "USD=100,JPY=0.5"}, "JPY=0.5"),
    ("E001", {"WEBHOOK_ALLOWED_NETWORKS": "ten"}, "has 'ten'"),
    ("E001", {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/8,10.0.0.1/8"}, "has '10.0.0.1/8'"),
    ("E001", {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/8;fd00::/8"}, "write a network, as in 10.0.0.0/8"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "0.0.0.0/0"}, "0.0.0.0/0"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "::/0"}, "::/0"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/7"}, "10.0.0.0/7"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "8.8.8.8"}, "8.8.8.8/32"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "169.254.0.0/16"}, "169.254.0.0/16"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "fe80::/10"}, "fe80::/10"),
    ("E016", {"WEBHOOK_ALLOWED_NETWORKS": "::ffff:10.0.0.0/104"}, "not inside of one private network"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "10.1.2.3"}, "has '10.1.2.3'"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": ".3"}, "has '.3'"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "."}, "has '.'"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "*.example.com"}, "write ads.example.com"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "ads.example.com:8080"}, "ads.example.com:8080"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "http://ads.example.com"}, "http://ads.example.com"),
    ("E017", {"WEBHOOK_ALLOWED_HOSTS": "ads.example.com."}, "ads.example.com."),
]
RIGHT = [
    {},
    ELSEWHERE,
    {"DATABASE_URL": "postgres://ledger@//var/run/postgresql/ledger"},
    {"DATABASE_URL": "postgres://u:p%23@a.internal:5432,b.internal:5432/ledger?sslmode=verify-full"},
    {"SECRET_KEY": "$" + LONG, "SECRET_KEY_FALLBACKS": KEYS["SECRET_KEY"]},
    {"CURRENCIES": "USD; EUR,CHF", "DEFAULT_CURRENCY": "CHF"},
    {"CUSTOM_CURRENCIES": " POINTS=0 ; MILES=2,BTC=8", "DEFAULT_CURRENCY": "BTC"},
    {"CUSTOM_CURRENCIES": "XAU=4,JPY=0", "CURRENCIES": "USD,XAU"},
    {"CUSTOM_CURRENCIES": "", "APPROVAL_ABOVE": ""},
    {"APPROVAL_ABOVE": "USD=100;HRK=90.50,POINTS=0"},
    {"AUDIT_EVERY_MINUTES": "5"},
    {**ELSEWHERE, "AUDIT_EVERY_MINUTES": "0"},
    {**ELSEWHERE, "AUDIT_EVERY_MINUTES": "5", "AUDIT_DATABASE_URL": "postgres://m@db.internal/ledger"},
    {"BROKER_URL": "amqp://guest:guest@127.0.0.1:5672//;amqps://b.internal//"},
    {"WORKERS": "1", "BODY_SECONDS": "0.5", "GATHER_SECONDS": "0", "DATABASE_PREPARE_THRESHOLD": "0"},
    {"WEBHOOK_ALLOWED_NETWORKS": " 10.0.0.0/8 , 192.168.7.1,100.64.0.0/10,fd12:3456::/32,127.0.0.1/32,::1"},
    {
        "WEBHOOK_ALLOWED_HOSTS": "ads, .svc.cluster.local,Ads-2.example.com,x.y2",
        "WEBHOOK_ALLOWED_NETWORKS": "",
    },
    {"SECOND_FACTOR": "off", "DEBUG": "1", "METRICS_PUBLIC": "Yes", "LOG_LEVEL": "warning"},
]


@pytest.fixture
def find_problems(monkeypatch, settings, tmp_path):
    """What is said of an environment, a line each, as by `manage.py check`."""
    for name in ("DATABASE_URL", *(f"{key}_FALLBACKS" for key in checks.KEYS)):
        monkeypatch.delenv(name, raising=False)
    logs = structlog.get_config()

    def find(**environment):
        for name, value in {"LEDGER_VAR": str(tmp_path), **KEYS, **environment}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        try:
            values = runpy.run_path(str(PROJECT / "ledger_project/settings.py"))
        except ImproperlyConfigured as error:
            return str(error).splitlines()
        for name in CHECKED:
            setattr(settings, name, values[name])
        forget()
        return checks.describe(checks.find_errors(checks.OF_SETTINGS)).splitlines()

    yield find
    structlog.configure(**logs)
    forget()


@pytest.mark.parametrize(("id", "environment", "says"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_setting_is_named_in_one_line(find_problems, id, environment, says):
    [line] = find_problems(**environment)
    assert line.startswith(f"(ledger.{id}) ")
    assert says in line
    assert any(name in line for name in environment)


@pytest.mark.parametrize(("id", "environment", "says"), WRONG, ids=lambda value: str(value)[:60])
def test_no_secret_is_shown(find_problems, id, environment, says):
    text = "\n".join(find_problems(**environment))
    assert "hunter2" not in text
    assert "internal" not in text


@pytest.mark.parametrize("environment", RIGHT, ids=str)
def test_a_right_setting_is_taken(find_problems, environment):
    assert find_problems(**environment) == []


def test_all_that_is_wrong_is_named_at_once(find_problems):
    unreadable = find_problems(WORKERS="two", DEBUG="maybe", CHAIN_KEY="")
    assert [line.split()[1] for line in unreadable] == ["CHAIN_KEY", "DEBUG", "WORKERS"]
    unfit = {"CURRENCIES": "USD,ZZZ", "CUSTOM_CURRENCIES": "ETH=18", "ANCHOR_KEY": "x"}
    lines = find_problems(**unfit, WORKERS="1", DEBUG="1", APPROVAL_ABOVE="ZZZ=1")
    assert {line[1:12] for line in lines} == {f"ledger.E0{id}" for id in ("03", "07", "08", "11")}


@pytest.mark.parametrize("name", checks.KEYS)
def test_the_keys_of_the_embedded_database_are_not_those_of_another(find_problems, tmp_path, name):
    (tmp_path / name.lower()).write_text(LONG)
    [line] = find_problems(**{name: LONG}, **ELSEWHERE)
    assert line.startswith(f"(ledger.E004) {name} is that of the embedded database")
    assert find_problems(**{name: LONG}, DATABASE_URL="") == []


def test_a_ledger_that_comes_from_the_embedded_database_keeps_its_chain_key_as_a_fallback(
    find_problems, tmp_path
):
    (tmp_path / "chain_key").write_text(LONG)
    assert find_problems(CHAIN_KEY_FALLBACKS=LONG, **ELSEWHERE) == []


def test_an_old_chain_key_that_is_weak_is_only_warned_of(find_problems):
    assert find_problems(CHAIN_KEY_FALLBACKS="hunter2") == []
    [warning] = [each for each in checks.check_keys() if not each.is_serious()]
    assert warning.id == "ledger.W003"
    assert "hunter2" not in warning.msg


def test_a_folder_that_cannot_be_written_to_is_named(find_problems, tmp_path):
    (tmp_path / "file").touch()
    environment = {"LEDGER_VAR": str(tmp_path / "file"), **dict.fromkeys(KEYS)}
    [line] = find_problems(**environment)
    assert line.startswith("(ledger.E001) LEDGER_VAR is no folder that can be written to")


def test_every_secret_may_stand_in_a_file(find_problems, tmp_path):
    def keep(name, secret):
        file = tmp_path / name
        file.write_text(secret + "\n")
        return {f"{name}_FILE": str(file), name: None}

    kept = {
        "DATABASE_URL": ELSEWHERE["DATABASE_URL"],
        "BROKER_URL": "amqp://guest:guest@b.internal//",
        **KEYS,
    }
    environment = {}
    for name, secret in kept.items():
        environment |= keep(name, secret)
    environment |= keep("SECRET_KEY_FALLBACKS", f"{LONG},{LONG} too")
    assert find_problems(**dict.fromkeys(("DATABASE_URL", "BROKER_URL", "SECRET_KEY_FALLBACKS"), "")) == []
    assert find_problems(**environment) == []
    taken = runpy.run_path(str(PROJECT / "ledger_project/settings.py"))
    assert {name: taken[name] for name in KEYS} == KEYS
    assert taken["EMBEDDED_POSTGRES"] is None
    assert taken["DATABASES"]["default"]["HOST"] == "db.internal"
    assert taken["BROKER_URL"] == kept["BROKER_URL"]
    assert taken["SECRET_KEY_FALLBACKS"] == [LONG, f"{LONG} too"]


def test_a_file_of_a_secret_that_cannot_be_read_or_is_one_too_many_is_named(find_problems, tmp_path):
    [line] = find_problems(CHAIN_KEY=None, CHAIN_KEY_FILE=str(tmp_path / "nothing"))[:1]
    assert "CHAIN_KEY_FILE names a file that cannot be read (No such file or directory)" in line
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    [line] = find_problems(CHAIN_KEY=None, CHAIN_KEY_FILE=str(tmp_path / "key"))[:1]
    assert "CHAIN_KEY_FILE names a file that cannot be read (it is no text)" in line
    (tmp_path / "key").write_text(LONG)
    [line] = find_problems(CHAIN_KEY=KEYS["CHAIN_KEY"], CHAIN_KEY_FILE=str(tmp_path / "key"))
    assert "CHAIN_KEY and CHAIN_KEY_FILE are both set" in line


def test_check_fails_with_a_line_for_each(settings):
    settings.CUSTOM_CURRENCIES = {"ETH": 18, "JPY": 2}
    with pytest.raises(CommandError, match=r"ETH 18 decimals(?s:.)*JPY 2 decimals"):
        call_command("check")


def read_line(done):
    """What a command that serves says as its last, in a line of the log."""
    return json.loads(done.stderr.splitlines()[-1])["text"]


@pytest.mark.parametrize(
    ("environment", "id"),
    [({"WORKERS": "two"}, "E001"), ({"CUSTOM_CURRENCIES": "ETH=18"}, "E008"), ({"CHAIN_KEY": ""}, "E002")],
    ids=str,
)
def test_serve_refuses_to_start_in_one_line(tmp_path, environment, id):
    done = run("serve", **KEYS | {"LEDGER_VAR": str(tmp_path)} | environment)
    assert done.returncode == 1
    assert re.fullmatch(rf"(CommandError: )?\(ledger\.{id}\) .*", read_line(done)), done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "postgres").exists()


def test_every_command_names_what_is_wrong_without_a_traceback(tmp_path):
    for arguments in (("check",), ("migrate",), ("db", "status")):
        done = run(*arguments, LEDGER_VAR=str(tmp_path), LANE_THREADS="many", **KEYS)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(r"\(ledger\.E001\) LANE_THREADS is 'many'.*\n", done.stderr), done.stderr


@pytest.mark.serve
def test_serve_refuses_accounts_that_the_settings_do_not_fit_and_stops_the_database_again(tmp_path):
    environment = {"LEDGER_VAR": str(tmp_path / "var"), "CUSTOM_CURRENCIES": "MILES=2", **KEYS}
    file = tmp_path / "rows.csv"
    file.write_text("key,external_id,currency,type,amount\n1,ana,MILES,DEPOSIT,0.50\n")
    source = ("--source", "old", "--create-users")
    try:
        for arguments in (("db", "start"), ("migrate", "-v0"), ("import_transactions", str(file), *source)):
            done = run(*arguments, **environment)
            assert done.returncode == 0, done.stderr
        for units, id in (("MILES=0", "E014"), ("POINTS=0", "E013")):
            done = run("serve", **environment | {"CUSTOM_CURRENCIES": units})
            assert done.returncode == 1
            assert re.fullmatch(rf"CommandError: \(ledger\.{id}\) .* in MILES.*", read_line(done))
            assert "not running" in run("db", "status", **environment).stdout
            assert run("db", "start", **environment).returncode == 0
            checked = run("check", "--database", "default", **environment | {"CUSTOM_CURRENCIES": units})
            assert f"(ledger.{id})" in checked.stderr
        assert run("check", "--database", "default", **environment).returncode == 0
    finally:
        run("db", "stop", **environment)
