"""A trace comes in, goes through the log, the event and the webhook, and out; with TRACING with our spans."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from events.delivery import brokers, webhooks
from ledger import traces
from ledger.callers import Caller
from ledger_project.environment import Environment
from tests.cast import OrderFactory, new_id
from tests.events.conftest import loopback, relay_once, subscribe  # noqa: F401, fixtures
from tests.faults.hammer import make_account
from tests.ledger_project.test_commands import run
from tests.receivers import answering, receiver
from tests.servers import PROJECT, wait_for
from tests.service import Service
from transactions import posting
from transactions.posting import engine, own_transaction

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def traceparent(trace=TRACE, flags="01"):
    return {"traceparent": f"00-{trace}-{SPAN}-{flags}"}


def read_spans(collector):
    """By their ids, of all that the collector was sent."""
    spans = {}
    for _, body in list(collector.requests):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert names["service.name"] == "ledger"
            spans |= {span.span_id.hex(): span for scope in resource.scope_spans for span in scope.spans}
    return spans


def post(service, account, **headers):
    body = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}
    status, text, _ = service.send("POST", "/api/v1/transactions", body, **headers)
    assert status == 201, text
    return json.loads(text)


@pytest.fixture(scope="module")
def collector():
    with receiver(answering(200)) as made:
        yield made


@pytest.fixture(scope="module")
def service(collector, tmp_path_factory):
    environment = {
        "TRACING": "true",
        "WEBHOOK_LOOPBACK": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    service = Service(tmp_path_factory.mktemp("traced") / "var", environment).start()
    yield service
    service.stop()


@pytest.mark.serve
def test_a_callers_trace_has_a_span_of_the_request_of_each_step_and_of_what_was_sent(service, collector):
    account = make_account(service)
    with receiver() as hook:
        answer = service.send("POST", "/api/v1/subscriptions", {"kind": "webhook", "url": hook.url})
        assert answer[0] == 201
        row = post(service, account, **traceparent())
        wait_for(lambda: any(event["data"]["id"] == row["id"] for event in hook.events), 30)
        [headers] = [headers for headers, body in hook.requests if row["id"] in body.decode()]

    def find():
        spans = read_spans(collector)
        return {span.name: span for span in spans.values() if span.trace_id.hex() == TRACE}

    wanted = {"POST api/v1/transactions", "post", "lock", "decide", "write, commit", "send webhook"}
    wait_for(lambda: find().keys() == wanted, 30)
    of = find()
    request, whole = of["POST api/v1/transactions"], of["post"]
    assert request.parent_span_id.hex() == SPAN
    assert {each.key: each.value.int_value for each in request.attributes}["http.response.status_code"] == 201
    assert whole.parent_span_id == of["send webhook"].parent_span_id == request.span_id
    steps = [of[name] for name in ("lock", "decide", "write, commit")]
    assert all(step.parent_span_id == whole.span_id for step in steps)
    times = [time for step in steps for time in (step.start_time_unix_nano, step.end_time_unix_nano)]
    assert [whole.start_time_unix_nano, *times, whole.end_time_unix_nano] == sorted(
        [whole.start_time_unix_nano, *times, whole.end_time_unix_nano]
    )
    assert row["request_id"] == f"{TRACE}-{request.span_id.hex()}"
    sent = {name.lower(): value for name, value in headers.items()}["traceparent"]
    assert sent == f"00-{TRACE}-{of['send webhook'].span_id.hex()}-01"


@pytest.mark.serve
def test_what_is_posted_together_is_in_the_trace_of_each(service, collector):
    account = make_account(service)
    own = [f"{number:032x}" for number in range(1, 4)]
    for trace in own:
        post(service, account, **traceparent(trace))
    service.send("GET", f"/api/v1/accounts/{account}/balance", **traceparent(f"{4:032x}"))
    service.send("GET", "/api/v1/nothing", **traceparent(f"{5:032x}", flags="00"))
    post(service, account, **{"X-Request-Id": "mine", **traceparent(f"{6:032x}")})

    def count(trace):
        return sum(span.trace_id.hex() == trace for span in read_spans(collector).values())

    wait_for(lambda: [count(trace) for trace in own] == [5, 5, 5], 30)
    wait_for(lambda: (count(f"{4:032x}"), count(f"{6:032x}")) == (1, 5), 30)
    assert count(f"{5:032x}") == 0  # which its sender does not record
    lines = [json.loads(line) for line in service.output.splitlines()]
    assert [line["trace_id"] for line in lines if line.get("request_id") == "mine"] == [f"{6:032x}"]


@pytest.mark.serve
def test_what_was_not_sent_yet_is_sent_when_it_stops(tmp_path, collector):
    environment = {
        "TRACING": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "600000",
    }
    service = Service(tmp_path / "var", environment).start()
    service.send("GET", "/api/v1/me", **traceparent("a" * 32))
    assert service.stop() == 0
    assert [span.name for span in read_spans(collector).values() if span.trace_id.hex() == "a" * 32] == [
        "GET api/v1/me"
    ]


@pytest.mark.django_db(transaction=True)
def test_without_a_tracer_the_trace_goes_on_as_it_came(loopback, account):  # noqa: F811
    with receiver() as hook:
        subscribe(hook.url)
        for request_id in (f"{TRACE}-{SPAN}", "mine"):
            posting.post(
                [OrderFactory(account=account)], caller=Caller(account.user_id, request_id=request_id)
            )
        relay_once()
        sent = {
            event["request_id"]: {name.lower(): value for name, value in headers.items()}.get("traceparent")
            for event, (headers, _) in zip(hook.events, hook.requests, strict=True)
        }
    assert sent[f"{TRACE}-{SPAN}"] == f"00-{TRACE}-{SPAN}-01"
    assert sent["mine"] is None


def test_without_it_nothing_is_put_around_anything_and_no_package_of_it_is_loaded():
    assert settings.TRACING is False
    assert not any("tracing" in name for name in settings.MIDDLEWARE)
    for function in (
        posting.share,
        engine._post_once,
        engine.decide,
        own_transaction.OwnTransaction.begin,
        own_transaction.OwnTransaction.commit,
        webhooks.post,
        brokers.publish,
    ):
        assert not hasattr(function, "__wrapped__")
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'ledger_project.settings';"
        "django.setup(); import ledger_project.urls, ledger_project.wsgi;"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_header_is_written_of_an_id_that_carries_a_trace_and_of_no_other():
    assert traces.write_header(f"{TRACE}-{SPAN}") == f"00-{TRACE}-{SPAN}-01"
    for id in ("", "mine", str(new_id()), TRACE, f"{TRACE}-{SPAN}-01", f"{TRACE}-{SPAN}\n"):
        assert traces.write_header(id) is None


def test_who_asks_for_spans_without_the_packages_is_told_what_is_missing(tmp_path):
    environment = Environment({})
    assert environment.has_package("TRACING", "opentelemetry.sdk", "requirements-tracing.txt")
    assert not environment.has_package("TRACING", "opentelemetry_of_nobody.sdk", "x.txt")
    assert environment.problems == [
        "(ledger.E002) TRACING needs packages that are missing: pip install -r x.txt."
    ]
    done = run("check", TRACING="perhaps", LEDGER_VAR=str(tmp_path))
    assert "TRACING is 'perhaps'" in done.stderr
