"""The file for Kubernetes: schemas take it, and its objects agree with each other, the app and its command."""

import importlib.util
from pathlib import Path

import pytest
import yaml
from kubernetes_validate import validate

from antiphon.cli.main import run
from antiphon.testing import Client
from tests.helpers.rows import rows

DEPLOY = Path(__file__).parents[2] / "examples/deploy"
OBJECTS = {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes/shop.yaml").read_text())}
KUBERNETES = "1.37"

POD = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
ENVIRONMENT = {each["name"]: each["value"] for each in CONTAINER["env"]} | OBJECTS["ConfigMap"]["data"]
PROBES = [CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]


@pytest.fixture(scope="module")
def app():
    """The shop, by the settings of the pods."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        spec = importlib.util.spec_from_file_location("shop_in_a_pod", DEPLOY / "shop.py")
        shop = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shop)
    return shop.app


@rows("kind", OBJECTS)
def test_the_schema_takes_an_object(kind):
    validate(OBJECTS[kind], KUBERNETES, strict=True)


def test_the_schema_is_asked():
    wrong = OBJECTS["Service"] | {"spec": {"prots": []}}
    with pytest.raises(Exception, match="prots"):
        validate(wrong, KUBERNETES, strict=True)


def test_everything_selects_the_pods():
    labels = POD["metadata"]["labels"]
    by_labels = [OBJECTS[kind]["spec"]["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")]
    spread = [each["labelSelector"]["matchLabels"] for each in POD["spec"]["topologySpreadConstraints"]]
    assert [labels] * 4 == [*by_labels, *spread, OBJECTS["Service"]["spec"]["selector"]]


def test_the_autoscaler_changes_the_deployment_and_keeps_its_number():
    spec = OBJECTS["HorizontalPodAutoscaler"]["spec"]
    deployment = OBJECTS["Deployment"]
    named = {name: deployment[name] for name in ("apiVersion", "kind")} | {"name": deployment["metadata"]["name"]}
    assert spec["scaleTargetRef"] == named
    assert (
        spec["minReplicas"] == deployment["spec"]["replicas"] > OBJECTS["PodDisruptionBudget"]["spec"]["maxUnavailable"]
    )


def test_the_port_is_that_of_the_container():
    (port,) = CONTAINER["ports"]
    assert f"EXPOSE {port['containerPort']}\n" in (DEPLOY / "Containerfile").read_text()
    assert {port["name"]} == {each["port"] for each in PROBES} | {OBJECTS["Service"]["spec"]["ports"][0]["targetPort"]}


def test_the_settings_are_there():
    assert [each["configMapRef"]["name"] for each in CONTAINER["envFrom"]] == [OBJECTS["ConfigMap"]["metadata"]["name"]]
    read = {variable for option in run.params for variable in option.envvar or ()}
    assert {each["name"] for each in CONTAINER["env"]} <= read


@rows("probe", PROBES, ids=lambda probe: probe["path"])
def test_the_app_answers_the_probes_for_the_pods_address(app, probe):
    with Client(app) as client:
        assert client.get(probe["path"], headers={"host": "10.244.1.7:8000"}).status == 200
        assert client.get("/", headers={"host": "10.244.1.7:8000"}).status == 421


def test_a_pod_is_killed_later_than_it_ends():
    delay, grace = (float(ENVIRONMENT[f"ANTIPHON_{name}"]) for name in ("DRAIN_DELAY", "GRACE"))
    assert POD["spec"]["terminationGracePeriodSeconds"] >= delay + grace + 5
    probe = CONTAINER["readinessProbe"]
    assert delay > probe["periodSeconds"] * (probe["failureThreshold"] - 1)  # the first says so while it still answers


def test_no_pod_is_root_or_writes_but_to_its_volumes():
    assert POD["spec"]["securityContext"]["runAsNonRoot"]
    user = f"USER {POD['spec']['securityContext']['runAsUser']}:{POD['spec']['securityContext']['runAsGroup']}\n"
    assert user in (DEPLOY / "Containerfile").read_text()
    context = CONTAINER["securityContext"]
    assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
    assert {each["name"] for each in CONTAINER["volumeMounts"]} == {each["name"] for each in POD["spec"]["volumes"]}


def test_the_limit_of_memory_holds_a_worker_beside_its_successor():
    """The supervisor takes 40 MiB, and a worker that has just been loaded up to 150."""
    worker = int(ENVIRONMENT["ANTIPHON_WORKER_MEMORY"].removesuffix("M"))
    limit = int(CONTAINER["resources"]["limits"]["memory"].removesuffix("Mi"))
    assert (40 + worker + 150) * 1.2 <= limit
