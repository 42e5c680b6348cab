"""What pages load: compressed, kept by browsers for good where names have hashes, and little of it."""

import re
import subprocess
import sys

import pytest
from django.core.cache import cache
from django.test import Client
from django.test.utils import override_settings

from ledger_project.settings import STORAGES
from tests.servers import PROJECT

COLLECT = re.search(r"manage\.py (collectstatic .*) \\", (PROJECT / "deploy/Dockerfile").read_text())
FOR_GOOD = "max-age=315360000, public, immutable"
BYTES_MAX = 95_000  # of what holds up the first sight of a page: at 50 KB/s two seconds


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    environment = {
        "STATIC_ROOT": str(folder),
        "LEDGER_VAR": str(tmp_path_factory.mktemp("var")),
        "DEBUG": "1",
    }
    command = [sys.executable, "manage.py", *COLLECT[1].split()]  # as the image does
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)
    return folder


@pytest.fixture
def client(db, collected):
    cache.clear()
    hashed = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(
        STATIC_ROOT=str(collected), WHITENOISE_USE_FINDERS=False, STORAGES={**STORAGES, "staticfiles": hashed}
    ):
        yield Client(headers={"accept-encoding": "gzip"})


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_collected_files_are_compressed_and_kept_for_good(client):
    page, _body = read(client, "/admin/login/")
    assert page["Content-Encoding"] == "gzip"
    html = Client().get("/admin/login/").content.decode()
    loaded = re.findall(r"""(?:href|src)=["'](/static/[^"']+)""", html)
    assert len(loaded) > 10
    sizes = {}
    for address in loaded:
        answer, body = read(client, address)
        assert answer["Cache-Control"] == FOR_GOOD, address
        assert answer.get("Content-Encoding") == "gzip" or len(body) < 1000, address
        sizes[address] = len(body)
    assert sum(size for address, size in sizes.items()) < BYTES_MAX, sizes


def test_the_fonts_that_a_style_names_have_hashes_too(client):
    html = Client().get("/admin/login/").content.decode()
    style = re.search(r'href="(/static/office/fonts/fonts\.[0-9a-f]{12}\.css)"', html)[1]
    named = re.findall(r'url\("([^"]+)"\)', b"".join(Client().get(style).streaming_content).decode())
    assert len(named) == 5
    for name in named:
        answer, body = read(client, f"/static/office/fonts/{name}")
        assert answer["Cache-Control"] == FOR_GOOD
        assert len(body) < 30_000


def test_files_that_nobody_has_collected_are_compressed_when_they_are_asked_for(db):
    answer = Client(headers={"accept-encoding": "gzip"}).get("/static/unfold/css/styles.css")
    assert answer["Content-Encoding"] == "gzip"
    assert answer["Cache-Control"] == "max-age=3600, public"
    assert len(b"".join(answer.streaming_content)) < 50_000
