"""What must be true of the manifests and no schema knows. Each check yields what is wrong, in a sentence."""

import re
from collections.abc import Callable, Iterator
from itertools import chain

from django.urls import Resolver404, resolve

from ledger_project.server.__main__ import STOP_SECONDS_MAX
from tests.deploy.commands import find_wrong_arguments
from tests.deploy.manifests import Manifest, Pod, find_pods, of_kind
from tests.deploy.settings import NEEDED, SECRETS_FOLDER, find_wrong_settings

START_SECONDS_MIN = 60
RELAY_PORT = 9100
VOLUMES = {
    "configMap",
    "emptyDir",
    "projected",
    "secret",
    "persistentVolumeClaim",
    "downwardAPI",
    "csi",
    "ephemeral",
}
Check = Callable[[Pod], Iterator[str]]


def find_faults(manifests: list[Manifest]) -> list[str]:
    """All that is wrong, with whose it is."""
    pods = list(find_pods(manifests))
    of_pods = (f"{pod.kind} {pod.name}: {fault}" for pod in pods for check in OF_PODS for fault in check(pod))
    return [*of_pods, *chain.from_iterable(check(manifests, pods) for check in OF_ALL)]


def restricted(pod: Pod) -> Iterator[str]:
    """Kubernetes' pod security standard of that name, and a root folder that is read only."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(name):
            yield f"{name} is the node's"
    for volume in pod.spec.get("volumes", []):
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"the volume {volume['name']} is of the kind {kinds.pop()}"
    of_pod = pod.spec.get("securityContext", {})
    for container in pod.containers:
        own = container.get("securityContext", {})
        context = of_pod | own
        if own.get("privileged"):
            yield "privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield "may escalate its privileges"
        if not own.get("readOnlyRootFilesystem"):
            yield "the root folder can be written to"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield "has capabilities"
        if not context.get("runAsNonRoot") or not context.get("runAsUser"):
            yield "runs as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield "has no seccomp profile"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield "takes a port of the node"


def quiet_towards_the_cluster(pod: Pod) -> Iterator[str]:
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "has a token of the API server"
    if pod.spec.get("serviceAccountName") != "ledger":
        yield "is not the service account ledger"


def pinned(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        if not re.search(r":\d+\.\d[\w.-]*$|@sha256:[0-9a-f]{64}$", container["image"]):
            yield f"the image is not pinned: {container['image']}"


def bounded(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= set(resources.get("requests", {})):
            yield "asks for no CPU or memory"
        if "memory" not in resources.get("limits", {}):
            yield "has no limit of memory"


def settings_known(pod: Pod) -> Iterator[str]:
    yield from find_wrong_settings(pod.environment)
    if any("secretKeyRef" in entry.get("valueFrom", {}) for entry in pod.entries):
        yield "has a secret in its environment"
    for container in pod.containers:
        if any("secretRef" in source for source in container.get("envFrom", [])):
            yield "has secrets in its environment"


def secrets_there(pod: Pod) -> Iterator[str]:
    """Every key is a file, and the volume of the files is mounted."""
    if pod.commands:
        missing = {f"{name}_FILE" for name in NEEDED} - set(pod.environment)
        if missing:
            yield f"is not told {', '.join(sorted(missing))}"
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
    for container in pod.containers:
        mounts = {mount["mountPath"]: mount for mount in container.get("volumeMounts", [])}
        if SECRETS_FOLDER.rstrip("/") not in mounts:
            yield "no secrets are mounted"
        for mount in mounts.values():
            if mount["name"] not in volumes:
                yield f"there is no volume {mount['name']}"
            elif {"secret", "projected"} & set(volumes[mount["name"]]) and not mount.get("readOnly"):
                yield "can write to its secrets"


def commands_exist(pod: Pod) -> Iterator[str]:
    for words in pod.commands:
        yield from find_wrong_arguments(words)


def probed(pod: Pod) -> Iterator[str]:
    if pod.kind != "Deployment":
        return
    for container in pod.containers:
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        if not ports:
            continue
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind not in container:
                yield f"has no {kind}"
                continue
            asked = container[kind]["httpGet"]
            port = ports.get(asked["port"], asked["port"])
            if port not in ports.values():
                yield f"{kind} asks at the port {port}, where nobody listens"
            if not is_answered(asked["path"], port):
                yield f"{kind} asks for {asked['path']}, which does not exist"
        startup = container.get("startupProbe", {})
        if startup.get("failureThreshold", 3) * startup.get("periodSeconds", 10) < START_SECONDS_MIN:
            yield f"has less than {START_SECONDS_MIN} s to start"


def is_answered(path: str, port: int) -> bool:
    if port == RELAY_PORT:
        return path in ("/livez", "/metrics")
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def stops_in_time(pod: Pod) -> Iterator[str]:
    """The grace is for preStop, for draining and for the server's own bound together."""
    for container in pod.spec["containers"]:
        words = container.get("args", [""])
        if pod.kind != "Deployment" or words[0] not in ("serve", "relay_events"):
            continue
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        drain = float(pod.environment.get("DRAIN_SECONDS", 0)) if words[0] == "serve" else 0
        needed = pause + drain + STOP_SECONDS_MAX
        if pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"is killed before its {needed:g} s to stop are over"
        if words[0] == "serve" and not (pause and drain):
            yield "ends before proxies know: preStop and DRAIN_SECONDS"


def apart(pod: Pod) -> Iterator[str]:
    """A pod of web neither relays nor migrates: of these there is one."""
    for words in pod.commands:
        if words[0] == "serve" and "--no-relay" not in words:
            yield "relays in every pod"
        if words[0] == "serve" and "--no-migrate" not in words:
            yield "migrates in every pod"
    if pod.kind in ("Deployment", "CronJob") and any(words[0] == "migrate" for words in pod.commands):
        yield "migrates in every pod"


def connected(manifests: list[Manifest], pods: list[Pod]) -> Iterator[str]:
    """Whoever selects pods finds some, at ports that they have."""
    deployments = {pod.name: pod for pod in pods if pod.kind == "Deployment"}
    for pod in deployments.values():
        if not selects(pod.manifest["spec"]["selector"], pod):
            yield f"Deployment {pod.name}: does not select its own pods"
    for service in of_kind(manifests, "Service"):
        chosen = [pod for pod in pods if selects({"matchLabels": service["spec"]["selector"]}, pod)]
        targets = {port["targetPort"] for port in service["spec"]["ports"]}
        names = {port["name"] for pod in chosen for each in pod.containers for port in each.get("ports", [])}
        if not chosen or not targets <= names:
            yield f"Service {service['metadata']['name']}: finds no pod with {targets}"
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        if not any(selects(budget["spec"]["selector"], pod) for pod in pods):
            yield f"PodDisruptionBudget {budget['metadata']['name']}: is nobody's"
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        if (name := scaler["spec"]["scaleTargetRef"]["name"]) not in deployments:
            yield f"HorizontalPodAutoscaler: there is no {name}"
        elif "replicas" in deployments[name].manifest["spec"]:
            yield f"Deployment {name}: every apply undoes what the autoscaler decided"
    for name in ("web", "relay"):
        if not any(each["metadata"]["name"] == name for each in of_kind(manifests, "PodDisruptionBudget")):
            yield f"Deployment {name}: has no PodDisruptionBudget"


def closed(manifests: list[Manifest], pods: list[Pod]) -> Iterator[str]:
    """By default nothing comes in or goes out, and what is let in goes to ports that exist."""
    policies = of_kind(manifests, "NetworkPolicy")
    nothing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if nothing not in [policy["spec"] for policy in policies]:
        yield "NetworkPolicy: nothing is closed by default"
    for policy in policies:
        name, spec = policy["metadata"]["name"], policy["spec"]
        chosen = [pod for pod in pods if selects(spec["podSelector"], pod)]
        listening = {
            port["containerPort"]
            for pod in chosen
            for container in pod.containers
            for port in container.get("ports", [])
        }
        if not chosen:
            yield f"NetworkPolicy {name}: is nobody's"
        for rule in spec.get("ingress", []):
            if not {port["port"] for port in rule["ports"]} <= listening or not rule.get("from"):
                yield f"NetworkPolicy {name}: lets everybody in, or to a port where nobody listens"


def selects(selector: Manifest, pod: Pod) -> bool:
    labels = pod.labels
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])
    )


OF_PODS: tuple[Check, ...] = (
    restricted, quiet_towards_the_cluster, pinned, bounded, settings_known, secrets_there, commands_exist,
    probed, stops_in_time, apart,
)  # fmt: skip
OF_ALL = (connected, closed)
