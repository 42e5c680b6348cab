"""docs/operations/serving.md: a Prometheus scrapes the service with a token."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.operations.ledger import Ledger
from tests.programs import require
from tests.servers import wait_for

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]
PROMTOOL = Path("/usr/bin/promtool")


def test_prometheus_reads_the_metrics_with_its_token_and_not_without(open_world):
    require(PROMTOOL, "prometheus")
    world = open_world("operations/serving.md")
    world.names["15s"] = "1s"
    world.places["prometheus.yml"] = (world.home / "prometheus.yml").write_text
    ledger = Ledger(world)
    world.run("Metrics", count=1)
    ledger.start()
    world.run("Metrics")
    world.serve(
        "prometheus --config.file=prometheus.yml --storage.tsdb.path=/var/lib/prometheus"
        " --web.listen-address=127.0.0.1:9090"
    )
    wait_for(lambda: read_up(world) == ["1", "1"], 30)
    (world.folder / "etc/prometheus/ledger.token").write_text("another")
    wait_for(lambda: read_up(world) == ["0", "0"], 30)
    world.require_all_run()


def read_up(world):
    address = f"http://127.0.0.1:{world.names['9090']}/api/v1/query?query=up"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError:  # it is starting
        return []
    return [each["value"][1] for each in found]
