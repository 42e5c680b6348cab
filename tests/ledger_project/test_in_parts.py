"""The service in parts, as a cluster runs it: migrations, servers and relay apart, several at once, on a
database of somebody else's, and stopped one after the other."""

import http.client
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import psutil
import psycopg
import pytest

from ledger_project import checks
from ledger_project.database.embedded import EmbeddedPostgres
from ledger_project.management.commands.migrate import LOCK
from tests.cast import new_id
from tests.faults.hammer import make_account
from tests.servers import CHEAP, PROJECT, query, wait_for
from tests.service import Service

pytestmark = [pytest.mark.drill, pytest.mark.serve]

KEYS = {name: f"a key of its own for {name}, of a service in parts" for name in checks.KEYS}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A server that is nobody's in particular."""
    settings = {**CHEAP, "max_connections": "100"}
    made = EmbeddedPostgres(tmp_path_factory.mktemp("server"), settings=settings)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def make_environment(postgres, tmp_path):
    """That of a process which finds its secrets in files. Each database is its own."""

    def make(database, **changes):
        secrets = {**KEYS, "DATABASE_URL": f"postgres://postgres@/{postgres.socket_folder}/{database}"}
        environment = {k: v for k, v in os.environ.items() if k not in secrets}
        for name, secret in secrets.items():
            file = tmp_path / f"{database}_{name.lower()}"
            file.write_text(f"{secret}\n")
            environment[f"{name}_FILE"] = str(file)
        return environment | {"LEDGER_VAR": str(tmp_path / "var"), **changes}

    return make


def begin(environment, *command):
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(environment, *command):
    process = begin(environment, *command)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def ask_ready(service):
    """The status, and the reason if it is not ready."""
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)) as connection:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("reason")


def make_service(folder, environment, *options):
    return Service(folder, environment, options=options)


def test_of_several_that_migrate_at_once_one_does_and_the_others_wait(postgres, make_environment):
    postgres.ensure_database("raced")
    environment = make_environment("raced")
    processes = [begin(environment, "migrate", "-v", "1") for _ in range(3)]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sum("Applying transactions.0001" in each for each in said) == 1
    assert sum("No migrations to apply" in each for each in said) == 2


def test_who_waits_to_migrate_holds_no_snapshot_that_an_index_would_wait_for(postgres, make_environment):
    postgres.ensure_database("waited")
    environment = make_environment("waited")
    assert run(environment, "migrate", "-v", "0") == (0, "")
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'waited' AND state <> 'idle'"
    with psycopg.connect(host=str(postgres.socket_folder), user="postgres", dbname="waited") as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        waiter = begin(environment, "migrate", "-v", "0")
        wait_for(lambda: query(postgres, open_ones.replace("state <> 'idle'", "pid > 0")) != [(1,)], 60)
        time.sleep(1)
        assert waiter.poll() is None
        holder.commit()
        with psycopg.connect(
            host=str(postgres.socket_folder), user="postgres", dbname="waited", autocommit=True
        ) as maker:
            maker.execute("CREATE INDEX CONCURRENTLY planted ON accounts_user (name)")
    assert waiter.communicate(timeout=60) == ("", None)


def test_migrations_go_by_an_address_of_their_own(postgres, make_environment):
    postgres.ensure_database("addressed")
    for name in ("owner", "app"):
        query(postgres, f"CREATE ROLE addressed_{name} LOGIN")
    query(postgres, "ALTER DATABASE addressed OWNER TO addressed_owner")
    query(postgres, "GRANT pg_read_all_data, pg_read_all_settings TO addressed_owner")
    query(postgres, "GRANT ALL ON SCHEMA public TO addressed_owner", "addressed")

    def address(role):
        return f"postgres://addressed_{role}@/{postgres.socket_folder}/addressed"

    environment = make_environment("addressed", MIGRATION_DATABASE_URL=address("owner"))
    environment["DATABASE_URL"] = address("app")
    del environment["DATABASE_URL_FILE"]
    status, said = run(environment, "migrate", "-v", "0")
    assert status == 0, said
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert query(postgres, owners, "addressed") == [("addressed_owner",)]
    status, said = run(environment, "database_roles")
    assert status == 0, said


def test_the_first_migration_needs_no_role_of_the_service_yet(postgres, make_environment):
    postgres.ensure_database("first")
    owner = f"postgres://postgres@/{postgres.socket_folder}/first"
    environment = make_environment("first", MIGRATION_DATABASE_URL=owner)
    environment["DATABASE_URL"] = f"postgres://nobody_yet@/{postgres.socket_folder}/first"
    del environment["DATABASE_URL_FILE"]
    status, said = run(environment, "migrate", "-v", "0")
    assert status == 0, said


def test_a_server_and_a_relay_and_a_job_are_a_service(postgres, make_environment, tmp_path):
    postgres.ensure_database("apart")
    environment = make_environment("apart")
    server = make_service(tmp_path / "web", environment, "--no-migrate", "--no-relay").start()
    try:
        assert ask_ready(server) == (503, "migrations are missing")
        assert run(environment, "migrate", "-v", "0") == (0, "")
        assert ask_ready(server) == (200, None)
        [child] = psutil.Process(server.process.pid).children()
        assert child.name() == "server"
        status, said = run(environment, "relay_events", "--once")
        assert status == 0, said
    finally:
        server.stop()


def test_a_server_that_is_stopped_says_so_first_and_answers_while_it_does(tmp_path):
    service = Service(tmp_path, {"DRAIN_SECONDS": "4"}).start()
    account = make_account(service)
    answers, stopping = [], threading.Event()

    def post():
        while not stopping.is_set():
            body = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}
            answers.append(service.send("POST", "/api/v1/transactions", body)[0])

    assert service.send("GET", "/readyz")[0] == 200
    poster = threading.Thread(target=post)
    poster.start()
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: service.send("GET", "/readyz")[0] == 503)
    assert "it is being stopped" in service.send("GET", "/readyz")[1]
    assert service.send("GET", "/livez")[0] == 200
    told = len(answers)
    wait_for(lambda: len(answers) > told + 10)
    stopping.set()
    poster.join()
    assert set(answers) == {201}
    assert service.process.wait(60) == 0


def test_a_second_signal_ends_the_wait(tmp_path):
    service = Service(tmp_path, {"DRAIN_SECONDS": "600"}).start()
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: service.send("GET", "/readyz")[0] == 503)
    assert service.stop() == 0


def test_probes_are_answered_by_whatever_name_they_ask(tmp_path):
    service = Service(tmp_path).start()
    try:
        for path in ("/livez", "/readyz", "/metrics"):
            assert service.send("GET", path, None, Host="10.1.2.3:8080")[0] == 200
        status, text, _ = service.send("GET", "/api/v1/users", None, Host="10.1.2.3:8080")
        assert (status, '"host_not_allowed"' in text) == (400, True)
        status, text, _ = service.send("GET", "/admin/login/", None, Host="10.1.2.3:8080")
        assert (status, "ALLOWED_HOSTS" in text) == (400, True)
    finally:
        service.stop()


def test_secrets_are_shown_to_a_terminal_and_the_curl_beside_them_works_when_pasted(tmp_path):
    master, slave = pty.openpty()
    shown = Service(tmp_path / "shown")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(shown.port)],
        cwd=PROJECT,
        env=shown.make_environment(),
        stdout=slave,
        stderr=subprocess.STDOUT,
    )
    os.close(slave)
    said = b""
    while b"Ctrl-C" not in said:
        said += os.read(master, 4096)
    assert shown.token in said.decode()
    assert (shown.var / "admin_password").read_text().strip() in said.decode()
    curl = re.search(r"^curl .*\r?\n.*$", said.decode(), flags=re.M)[0].replace("\\\r\n", " ")
    answer = subprocess.run(shlex.split(curl), capture_output=True, text=True, check=True)
    assert '"name":"petya"' in answer.stdout
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    os.close(master)


def test_a_folder_that_cannot_be_written_is_named_in_a_sentence(make_environment, tmp_path):
    (tmp_path / "file").touch()
    status, said = run(make_environment("any", LEDGER_VAR=str(tmp_path / "file" / "var")), "serve")
    assert status == 1
    [line] = said.splitlines()
    assert json.loads(line)["text"] == (
        "CommandError: LEDGER_VAR is no folder that can be written to (Not a directory): name another."
    )


def test_a_superuser_is_made_without_questions(postgres, make_environment):
    postgres.ensure_database("first")
    environment = make_environment("first", DJANGO_SUPERUSER_PASSWORD="a long and unusual password")
    assert run(environment, "migrate", "-v", "0") == (0, "")
    status, said = run(environment, "createsuperuser", "--noinput", "--username", "olga")
    assert status == 0, said
    found = query(postgres, "SELECT is_superuser FROM accounts_user WHERE username = 'olga'", "first")
    assert found == [(True,)]


def test_a_server_that_hides_what_cluster_it_is_has_a_feed_of_its_database(postgres, make_environment):
    postgres.ensure_database("managed")
    query(postgres, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "managed")
    query(postgres, "CREATE ROLE managed_owner LOGIN")
    query(postgres, "ALTER DATABASE managed OWNER TO managed_owner")
    environment = make_environment("managed")
    del environment["DATABASE_URL_FILE"]
    environment["DATABASE_URL"] = f"postgres://managed_owner@/{postgres.socket_folder}/managed"
    status, said = run(environment, "migrate", "-v", "0")
    assert (status, "pg_control_system" in said) == (1, True)
    environment["FEED_EPOCH_OF"] = "database"
    assert run(environment, "migrate", "-v", "0") == (0, "")
    assert run(environment, "relay_events", "--once")[0] == 0
    query(postgres, "UPDATE events_feed_state SET table_id = 7", "managed")  # as a restore makes it
    status, said = run(environment, "relay_events", "--once")
    assert (status, "new_feed_epoch" in said) == (1, True)
    assert run(environment, "new_feed_epoch")[0] == 0
    assert run(environment, "relay_events", "--once")[0] == 0
