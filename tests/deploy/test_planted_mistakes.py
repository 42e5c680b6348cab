"""Mistakes that others made before us, each planted into a copy of deploy/: a check finds each of them."""

import shutil
from itertools import chain

import kubernetes_validate
import pytest

from tests.deploy.compose import find_compose_faults, read_compose
from tests.deploy.facts import find_faults
from tests.deploy.image import find_image_faults
from tests.deploy.manifests import DEPLOY, render
from tests.deploy.test_manifests import VERSION

pytestmark = pytest.mark.drill

RESTRICTED = "            allowPrivilegeEscalation: false\n"
BASE = "kubernetes/base/"
TEMPLATE = BASE + "pods/template.yaml"
WEB, RELAY, MIGRATE, TIMERS = (f"{BASE}{name}.yaml" for name in ("web", "relay", "migrate", "timers"))
BACKUP, NETWORK, SETTINGS = BASE + "backup.yaml", BASE + "network.yaml", BASE + "settings.env"
COMPOSE, DOCKERFILE = "compose.yaml", "Dockerfile"

# What it is: the file, what stands there, what is put in its place, and what the check says.
MISTAKES = {
    "privileged": (TEMPLATE, RESTRICTED, RESTRICTED + "            privileged: true\n", "privileged"),
    "root": (TEMPLATE, "runAsUser: 10001", "runAsUser: 0", "runs as root"),
    "may be root": (TEMPLATE, "runAsNonRoot: true", "runAsNonRoot: false", "runs as root"),
    "escalation": (TEMPLATE, "Escalation: false", "Escalation: true", "may escalate its privileges"),
    "capabilities": (TEMPLATE, "{drop: [ALL]}", "{drop: [ALL], add: [NET_ADMIN]}", "has capabilities"),
    "no seccomp": (TEMPLATE, "RuntimeDefault", "Unconfined", "has no seccomp profile"),
    "root folder": (
        TEMPLATE,
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "the root folder can be written to",
    ),
    "folder of the node": (
        TEMPLATE,
        "emptyDir: {sizeLimit: 1Gi}",
        "hostPath: {path: /var/lib/ledger}",
        "the volume var is of the kind hostPath",
    ),
    "network of the node": (
        RELAY,
        "terminationGracePeriodSeconds",
        "hostNetwork: true\n      terminationGracePeriodSeconds",
        "hostNetwork is the node's",
    ),
    "root folder of the backup": (
        BACKUP,
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "the root folder can be written to",
    ),
    "token of the API": (
        TEMPLATE,
        "automountServiceAccountToken: false",
        "automountServiceAccountToken: true",
        "has a token of the API server",
    ),
    "misspelt field": (
        WEB,
        "terminationGracePeriodSeconds",
        "terminationGraceperiodSeconds",
        "terminationGraceperiodSeconds",
    ),
    "wrong type": (RELAY, "replicas: 2", "replicas: two", "replicas"),
    "no readiness probe": (WEB, "readinessProbe", "xProbe", "xProbe"),
    "probe of nothing": (
        WEB,
        "path: /readyz",
        "path: /ready",
        "readinessProbe asks for /ready, which does not exist",
    ),
    "probe at another port": (
        RELAY,
        "path: /livez, port: metrics",
        "path: /livez, port: 9200",
        "asks at the port 9200, where nobody listens",
    ),
    "too little time to start": (
        WEB,
        "failureThreshold: 60",
        "failureThreshold: 10",
        "has less than 60 s to start",
    ),
    "no preStop": (
        WEB,
        "preStop:\n              sleep: {seconds: 5}",
        "postStart:\n              sleep: {seconds: 5}",
        "ends before proxies know",
    ),
    "no draining": (SETTINGS, "DRAIN_SECONDS=5\n", "", "ends before proxies know"),
    "killed too soon": (
        WEB,
        "terminationGracePeriodSeconds: 40",
        "terminationGracePeriodSeconds: 20",
        "is killed before its 30 s to stop are over",
    ),
    "relay in every pod": (WEB, "--no-relay, ", "", "relays in every pod"),
    "migrations in every pod": (WEB, ", --no-migrate", "", "migrates in every pod"),
    "migrations by an init container": (
        RELAY,
        "      containers:",
        "      initContainers:\n        - {name: migrate, image: ledger, args: [migrate]}\n      containers:",
        "migrates in every pod",
    ),
    "an option that is none": (TIMERS, "--since, last", "--sinse, last", "unrecognized arguments: --sinse"),
    "a command that is none": (TIMERS, "prune_events", "prune_event", "manage.py has no command prune_event"),
    "a setting that is none": (SETTINGS, "ALLOWED_HOSTS", "ALLOWED_HOST", "ALLOWED_HOST is no setting"),
    "a key in the environment": (
        SETTINGS,
        "CHAIN_KEY_FILE=/etc/ledger/secrets/CHAIN_KEY",
        "CHAIN_KEY=x",
        "CHAIN_KEY is a secret",
    ),
    "a password in the environment": (
        MIGRATE,
        "env:\n",
        "env:\n            - {name: DATABASE_URL, valueFrom:"
        " {secretKeyRef: {name: ledger-database, key: DATABASE_URL}}}\n",
        "has a secret in its environment",
    ),
    "secrets that can be written to": (
        TEMPLATE,
        "mountPath: /etc/ledger/secrets, readOnly: true",
        "mountPath: /etc/ledger/secrets",
        "can write to its secrets",
    ),
    "a volume that is none": (BACKUP, "- name: scripts\n", "- name: script\n", "there is no volume scripts"),
    "floating tag": (
        BASE + "kustomization.yaml",
        "newTag: 18.1-bookworm",
        "newTag: latest",
        "the image is not pinned",
    ),
    "no limit of memory": (RELAY, "limits: {memory: 256Mi}", "limits: {}", "has no limit of memory"),
    "open to everybody": (
        NETWORK,
        "podSelector: {}\n  policyTypes: [Ingress, Egress]",
        "podSelector: {}\n  policyTypes: [Ingress]",
        "nothing is closed by default",
    ),
    "another port": (NETWORK, "port: 8080", "port: 8000", "to a port where nobody listens"),
    "a service without pods": (
        WEB,
        "selector: {app.kubernetes.io/component: web}",
        "selector: {app.kubernetes.io/component: app}",
        "finds no pod",
    ),
    "replicas beside the autoscaler": (
        WEB,
        "spec:\n  # How many",
        "spec:\n  replicas: 2\n  # How many",
        "every apply undoes what the autoscaler decided",
    ),
    "compose: a floating tag": (
        COMPOSE,
        "postgres:18.1-bookworm",
        "postgres:latest",
        "database: the image is not pinned",
    ),
    "compose: a secret": (
        COMPOSE,
        "ALLOWED_HOSTS: ",
        "SECRET_KEY: abc\n  ALLOWED_HOSTS: ",
        "SECRET_KEY is a secret",
    ),
    "compose: before the migrations": (
        COMPOSE,
        "migrate: {condition: service_completed_successfully}",
        "migrate: {condition: service_started}",
        "does not wait for the migrations",
    ),
    "compose: open to the network": (
        COMPOSE,
        "127.0.0.1:${LEDGER_PORT",
        "${LEDGER_PORT",
        "web: is open to the network",
    ),
    "compose: a root folder to write to": (
        COMPOSE,
        "read_only: true",
        "read_only: false",
        "can write to its root folder",
    ),
    "image: root": (DOCKERFILE, "USER 10001:10001\n", "", "runs as root"),
    "image: a floating base": (
        DOCKERFILE,
        "debian:12.12-slim\n",
        "debian:latest\n",
        "the base is not pinned",
    ),
    "image: pip is left": (DOCKERFILE, "setuptools pip", "setuptools", "pip is left"),
    "image: no health check": (DOCKERFILE, "HEALTHCHECK", "# HEALTHCHECK", "no HEALTHCHECK"),
    "image: a secret in a layer": (
        DOCKERFILE,
        "ARG LEDGER_COMMIT",
        "ARG SECRET_KEY\nARG LEDGER_COMMIT",
        "SECRET_KEY",
    ),
    "image: a shell's pipe": (
        DOCKERFILE,
        "RUN apt-get update \\\n",
        "RUN cd /tmp && sudo apt-get update \\\n",
        "DL3004",
    ),
}


@pytest.fixture
def plant(tmp_path):
    def plant_mistake(file, before, after):
        shutil.copytree(DEPLOY, tmp_path / "deploy")
        text = (tmp_path / "deploy" / file).read_text()
        assert before in text
        (tmp_path / "deploy" / file).write_text(text.replace(before, after, 1))
        return tmp_path / "deploy"

    return plant_mistake


def find_all(deploy, file):
    """What CI's checks say of that part of deploy/."""
    if file == COMPOSE:
        return find_compose_faults(read_compose(deploy))
    if file == DOCKERFILE:
        return find_image_faults(deploy)
    manifests = render("base", deploy)
    return chain(find_faults(manifests), find_unknown(manifests))


def find_unknown(manifests):
    for manifest in manifests:
        try:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield str(error)


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_planted_mistake_is_found(plant, kind):
    file, before, after, says = MISTAKES[kind]
    assert any(says in fault for fault in find_all(plant(file, before, after), file))


@pytest.mark.parametrize("file", [COMPOSE, DOCKERFILE, WEB])
def test_without_a_mistake_nothing_is_found(file):
    assert list(find_all(DEPLOY, file)) == []
