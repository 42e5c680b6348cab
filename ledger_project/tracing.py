"""Spans of OpenTelemetry: of a request, of what its posting did, of what was sent because of it.

Only with `TRACING`, and only then is opentelemetry imported: `instrument` puts itself around a few functions,
as OpenTelemetry's own instrumentations do, so that without it nothing of this is called (ADR 28).
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache, partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags

from events.delivery import brokers, channels, webhooks
from ledger import __version__, traces
from rest.middleware import METHODS, NO_ROUTE
from rest.requests_log import SERVER_ERROR
from transactions import posting
from transactions.posting import engine, own_transaction

Steps = list[tuple[str, int, int]]  # what was done, from when, to when, in ns

_contexts: dict[int, SpanContext] = {}  # of requests that wait for their group, by their identity
_of_thread = threading.local()  # `steps` of the posting that it does


@cache
def get_provider() -> TracerProvider:
    """Made when a process has its first span: it has a thread, which no fork takes along."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "ledger")
    provider = TracerProvider(resource=Resource.create({"service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def get_tracer() -> trace.Tracer:
    return get_provider().get_tracer("ledger")


def flush() -> None:
    """Send what was not sent yet, before the process ends."""
    if get_provider.cache_info().currsize:
        get_provider().force_flush()


def trace_requests(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """Middleware, before all others: a span around a request, in the caller's trace if there is one. The
    others see it as the `traceparent` of the request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        sent = traces.read(request.META.get("HTTP_TRACEPARENT", ""))
        with get_tracer().start_as_current_span("request", context=enter(sent), kind=SpanKind.SERVER) as span:
            request.META["HTTP_TRACEPARENT"] = write_traceparent(span.get_span_context())
            response = get_response(request)
            describe(span, request, response)
            return response

    return middleware


def describe(span: Span, request: HttpRequest, response: HttpResponseBase) -> None:
    """The names are OpenTelemetry's, for HTTP."""
    method = request.method if request.method in METHODS else "_OTHER"
    route = request.resolver_match.route if request.resolver_match else NO_ROUTE
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": str(method),
            "http.route": route,
            "http.response.status_code": response.status_code,
            "ledger.request_id": request.META["HTTP_X_REQUEST_ID"],
        }
    )
    if response.status_code >= SERVER_ERROR:
        span.set_status(StatusCode.ERROR)


def enter(sent: traces.Trace | None) -> Any:
    """The context that a span begins in: that of its sender, or none."""
    if sent is None:
        return trace.set_span_in_context(trace.INVALID_SPAN)
    flags = TraceFlags(TraceFlags.SAMPLED if sent.is_sampled else TraceFlags.DEFAULT)
    context = SpanContext(int(sent.id, 16), int(sent.span, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(context))


def write_traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def instrument() -> None:
    """Put spans around posting and sending, in this process and all that are forked from it."""
    own = own_transaction.OwnTransaction
    around: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (posting, "share", remember_context),
        (engine, "_post_once", trace_posting),
        (engine, "decide", partial(note_step, "decide")),
        (own, "begin", partial(note_step, "lock")),
        (own, "commit", partial(note_step, "write, commit")),
        (webhooks, "post", partial(trace_sending, "webhook")),
        (brokers, "publish", partial(trace_sending, "broker")),
        (webhooks, "write_trace", lambda _: write_current_trace),
        (brokers, "write_trace", lambda _: write_current_trace),
    ]
    for where, name, wrap in around:
        setattr(where, name, wrap(getattr(where, name)))


def remember_context(share: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Another thread posts what is shared: it is told whose it is."""

    @wraps(share)
    def shared(request: Any) -> Any:
        context = trace.get_current_span().get_span_context()
        if not context.trace_flags.sampled:
            return share(request)
        _contexts[id(request)] = context
        answer = share(request)
        answer.add_done_callback(lambda _: _contexts.pop(id(request), None))
        return answer

    return shared


def trace_posting(post: Callable[..., Any]) -> Callable[..., Any]:
    """A span, and one for each step, in the trace of every request that was posted together."""

    @wraps(post)
    def traced(requests: Sequence[Any], **options: Any) -> Any:
        here = trace.get_current_span().get_span_context()
        found = [_contexts.get(id(request), here) for request in requests]
        contexts = [context for context in found if context.trace_flags.sampled]
        if not contexts:
            return post(requests, **options)
        steps: Steps = []
        _of_thread.steps = steps
        started = time.time_ns()
        try:
            return post(requests, **options)
        finally:
            _of_thread.steps = None
            for context in contexts:
                write_spans(context, started, steps, len(requests))

    return traced


def note_step(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def noted(*arguments: Any, **options: Any) -> Any:
        steps: Steps | None = getattr(_of_thread, "steps", None)
        if steps is None:
            return function(*arguments, **options)
        started = time.time_ns()
        try:
            return function(*arguments, **options)
        finally:
            steps.append((name, started, time.time_ns()))

    return noted


def write_spans(context: SpanContext, started: int, steps: Steps, together: int) -> None:
    tracer, parent = get_tracer(), trace.set_span_in_context(NonRecordingSpan(context))
    whole = tracer.start_span(
        "post", context=parent, start_time=started, attributes={"ledger.requests_together": together}
    )
    inside = trace.set_span_in_context(whole)
    for name, begin, end in steps:
        tracer.start_span(name, context=inside, start_time=begin).end(end)
    whole.end()


def trace_sending(kind: str, send: Callable[..., bool]) -> Callable[..., bool]:
    """A span in the trace of the request that the event tells of, if its id carries one."""

    @wraps(send)
    def sent(*arguments: Any) -> bool:
        envelope = arguments[-1]
        origin = traces.read(traces.write_header(envelope["request_id"]) or "")
        if origin is None:
            return send(*arguments)
        attributes = {"ledger.event.id": envelope["id"], "ledger.event.type": envelope["type"]}
        with get_tracer().start_as_current_span(
            f"send {kind}",
            context=enter(origin),
            kind=SpanKind.PRODUCER,
            attributes=attributes,
            record_exception=False,  # what a receiver says is in the log, and perhaps not ours to pass on
        ):
            return send(*arguments)

    return sent


def write_current_trace(envelope: dict[str, Any]) -> dict[str, str]:
    context = trace.get_current_span().get_span_context()
    return {"traceparent": write_traceparent(context)} if context.is_valid else channels.write_trace(envelope)
