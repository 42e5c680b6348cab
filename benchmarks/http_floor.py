"""The floor of HTTP: a bare Django view and a bare DRF `APIView`, under the server that the service uses.

Each reads the body of a POST as JSON and answers 201 with it; no database, no token, no middleware. This
module is also their whole project: `granian benchmarks.http_floor:application`.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

WORKERS = 2  # as `serve` has
START_SECONDS_MAX = 30


def serve_django(request: HttpRequest) -> HttpResponse:
    asked = json.loads(request.body)
    return HttpResponse(json.dumps(asked), content_type="application/json", status=201)


def make_application(view: str) -> WSGIHandler:
    """Django with this one view, `django` or `drf`, and nothing else."""
    rest = {
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "UNAUTHENTICATED_USER": None,
    }
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[], REST_FRAMEWORK=rest)
    import django

    django.setup()
    urlpatterns.append(path("", make_drf_view() if view == "drf" else serve_django))
    return WSGIHandler()


def make_drf_view() -> Callable[..., HttpResponseBase]:
    """Made late: DRF reads its settings when it is imported."""
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class Echo(APIView):
        def post(self, request: Request) -> Response:
            return Response(request.data, status=201)

    return Echo.as_view()


urlpatterns: list = []
if "HTTP_FLOOR" in os.environ and not settings.configured:
    application = make_application(os.environ["HTTP_FLOOR"])


@contextmanager
def serving(view: str, port: int) -> Iterator[int]:
    """The view, served until the block ends; gives the server's pid."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", "4", "--log-level", "error"]
    environment = {**os.environ, "HTTP_FLOOR": view}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    server = subprocess.Popen(
        [*command, "benchmarks.http_floor:application"],
        cwd=Path(__file__).parent.parent,
        env=environment,
    )
    try:
        wait_until_it_listens(server, port)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def wait_until_it_listens(server: "subprocess.Popen[bytes]", port: int) -> None:
    """All workers share the port; a second for the later ones. Raises AssertionError when it ends before."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_listening(port):
        assert server.poll() is None, "the server did not start"
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.05)
    time.sleep(1)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
