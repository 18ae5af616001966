"""The Kubernetes manifests: the API's own schemas know all of them, and the pods are what the restricted profile takes."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.shipped import DEPLOY, compose, manifests, pod, run_tool, text

OLDEST, NEWEST = "1.28", "1.37"
PODS = [key for key in manifests() if key[0] in ("Deployment", "Job")]
KUSTOMIZATION: dict[str, Any] = yaml.safe_load(text("kubernetes/kustomization.yaml"))
(CONFIG,) = KUSTOMIZATION["configMapGenerator"]
VARIABLES = dict(literal.split("=", 1) for literal in CONFIG["literals"])


def containers(kind: str, name: str) -> list[dict[str, Any]]:
    """Those of a pod, those that run first included."""
    spec = pod(kind, name)
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schemas_know_every_field(version: str):
    assert len(manifests()) >= 10
    for manifest in manifests().values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_kustomize_builds_it_and_the_schemas_know_the_result():
    built = list(yaml.safe_load_all(run_tool("kubectl", "kustomize", DEPLOY / "kubernetes")))
    for manifest in built:
        kubernetes_validate.validate(manifest, NEWEST, strict=True)
    assert {one["kind"] for one in built} == {kind for kind, _name in manifests()} - {"Secret"} | {"ConfigMap"}
    (config,) = [one["metadata"]["name"] for one in built if one["kind"] == "ConfigMap"]
    (web,) = [one for one in built if one["metadata"]["name"] == "agentconsole-web" and one["kind"] == "Deployment"]
    (container,) = web["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"][0]["configMapRef"]["name"] == config
    assert container["image"].endswith(f"/agentconsole:{KUSTOMIZATION['images'][0]['newTag']}")


def test_everything_but_the_secret_is_applied():
    files = {path.name for path in (DEPLOY / "kubernetes").iterdir()} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files


def test_no_namespace_and_no_secret_is_written_down():
    assert [key for key, one in manifests().items() if "namespace" in one["metadata"]] == []
    assert set(manifests()["Secret", CONFIG["name"]]["stringData"].values()) == {""}


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_the_restricted_profile_takes_the_pod(kind: str, name: str):
    spec = pod(kind, name)
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not spec["automountServiceAccountToken"]
    for container in containers(kind, name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/agentconsole", "/tmp"}
        assert container["resources"].keys() == {"requests", "limits"}
        assert [{key: one["name"] for key, one in source.items()} for source in container["envFrom"]] == [
            {"configMapRef": CONFIG["name"]},
            {"secretRef": CONFIG["name"]},
        ]


def test_a_web_pod_is_asked_by_the_probes():
    (web,) = pod("Deployment", "agentconsole-web")["containers"]
    paths = {name: web[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {
        "startupProbe": "/health/startup",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }


def test_one_beat_at_a_time_and_as_many_web_pods_as_is_said():
    beat = manifests()["Deployment", "agentconsole-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    web = manifests()["Deployment", "agentconsole-web"]["spec"]
    assert web["replicas"] == int(VARIABLES["WEB_PROCESSES"])
    assert web["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "NetworkPolicy", "Service"])
def test_what_selects_pods_finds_them(kind: str):
    for (_kind, name), one in [(key, one) for key, one in manifests().items() if key[0] == kind]:
        selector = one["spec"].get("selector") or one["spec"]["podSelector"]
        wanted = selector.get("matchLabels", selector)
        # The kustomization puts its labels on every pod.
        common = KUSTOMIZATION["labels"][0]["pairs"]
        labels = [common | manifests()[key]["spec"]["template"]["metadata"]["labels"] for key in PODS]
        assert [found for found in labels if wanted.items() <= found.items()], name


def test_workers_and_beat_wait_for_the_migrations():
    for name in ("agentconsole-worker", "agentconsole-beat"):
        (first,) = pod("Deployment", name)["initContainers"]
        assert "migrate --check" in first["command"][-1]


def test_compose_and_kubernetes_run_the_same_commands():
    services = {
        "web-1": ("Deployment", "agentconsole-web"),
        "worker": ("Deployment", "agentconsole-worker"),
        "beat": ("Deployment", "agentconsole-beat"),
        "migrate": ("Job", "agentconsole-migrate"),
    }
    for service, key in services.items():
        assert compose()["services"][service]["command"] == pod(*key)["containers"][0]["command"]
