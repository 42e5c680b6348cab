"""The floor of HTTP: a bare Django view and a bare DRF `APIView`, under the server that the service uses.

Each reads the body of a POST as JSON and answers 201 with it; no database, no token, no middleware. This
module is also their whole project: `granian benchmarks.http_floor:application`.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from benchmarks.servers import make_granian, serving


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
def serving_view(view: str, port: int) -> Iterator[int]:
    """The view, served until the block ends; gives the server's pid."""
    environment = {**os.environ, "HTTP_FLOOR": view}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = make_granian(sys.executable, "benchmarks.http_floor:application", port)
    with serving(command, port, environment) as pid:
        yield pid
