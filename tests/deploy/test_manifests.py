"""The manifests: understood by Kubernetes, and right where no schema looks."""

import re
import shutil

import kubernetes_validate
import pytest
import yaml

from tests.deploy.facts import find_faults
from tests.deploy.manifests import DEPLOY, OVERLAYS, find_pods, of_kind, render

VERSION = "1.37"


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request):
    return render(request.param)


def test_kubernetes_knows_every_field(manifests):
    for manifest in manifests:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_nothing_is_wrong_that_no_schema_sees(manifests):
    assert find_faults(manifests) == []


def test_all_that_runs_by_itself_is_there(manifests):
    found = {(pod.kind, pod.name) for pod in find_pods(manifests)}
    jobs = {("Job", "migrate"), ("Job", "database-roles")}
    timers = {"audit", "audit-new", "prune-events", "export-anchor", "clear-sessions", "backup"}
    assert found >= {("Deployment", name) for name in ("web", "relay", "wal-stream")} | jobs
    assert found >= {("CronJob", name) for name in timers}


def test_the_namespace_refuses_pods_that_are_not_restricted(manifests):
    [namespace] = of_kind(manifests, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_page_makes_every_secret_that_is_asked_for():
    page = (DEPLOY.parent / "docs/deploying.md").read_text()
    made = set(re.findall(r"create secret generic (\S+)", page)) | {"ledger-broker"}
    asked = set()
    for pod in find_pods(render("base")):
        for volume in pod.spec["volumes"]:
            sources = [source["secret"]["name"] for source in volume.get("projected", {}).get("sources", [])]
            asked |= {*sources, volume.get("secret", {}).get("secretName", "ledger-keys")}
    assert made == asked


def test_with_the_broker_the_relay_has_its_address(tmp_path):
    overlay = tmp_path / "kubernetes" / "mine"
    overlay.mkdir(parents=True)
    for part in ("base", "components"):
        shutil.copytree(DEPLOY / "kubernetes" / part, overlay.parent / part)
    (overlay / "kustomization.yaml").write_text(
        yaml.safe_dump({"resources": ["../base"], "components": ["../components/broker"]})
    )
    manifests = render("mine", tmp_path)
    assert find_faults(manifests) == []
    pods = {pod.name: pod for pod in find_pods(manifests)}
    assert "BROKER_URL_FILE" in pods["relay"].environment
    volumes = {volume["name"]: volume for volume in pods["relay"].spec["volumes"]}
    assert {"name": "ledger-broker", "optional": True} in [
        source["secret"] for source in volumes["secrets"]["projected"]["sources"]
    ]
