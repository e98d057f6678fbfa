"""The bundle: the graph's tasks and dependencies, typed resources, no host and no secret; the committed one is current."""

import sys
from pathlib import Path

import pytest
from databricks.bundles.jobs import Job
from ruamel.yaml import YAML

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError, ExportError, SetupError
from lakeloom.project.check import check, checked
from lakeloom.project.exports.databricks import bundle, document
from lakeloom.project.exports.tasks import Asked, tasks
from tests.project.test_check import MODELS
from tests.shop import lay_out

CHECKOUT = Path(__file__).resolve().parents[3]
SECTION = """\
schedule: {cron: 30 4 * * 1-5, timezone: Europe/Oslo, retries: 3, retry_after: 2 minutes, timeout: 1 hour}
wait_s: 60
databricks:
  cluster: {runtime: 17.3.x-scala2.13, node: small, workers: 0}
  gpu: {runtime: 17.3.x-gpu-ml-scala2.13, node: big, libraries: [hyperopt==0.3.0]}
  environment: {SHOP_URL: "jdbc:shop"}
  permissions: [{level: CAN_VIEW, group: users}]
  email: {on_failure: [oncall@example.com]}
  targets:
    dev: {mode: development, default: true, catalog: dev, root: /Volumes/dev/shop/root, workers: 1}
    staging: {catalog: stage, root: /Volumes/stage/shop/root}
    prod: {mode: production, catalog: prod, root: /Volumes/prod/shop/root/a, path: /Workspace/Shared/shop, run_as: app-1}
"""


@pytest.fixture
def conf(tmp_path):
    made = lay_out(tmp_path)
    (made / "databricks.yml").write_text(SECTION)
    return made


def made(conf):
    return document(checked(read(conf, "databricks")))


def job(conf):
    return made(conf)["resources"]["jobs"]["shop"]


def test_the_committed_bundle_is_what_the_graph_gives():
    found = open_lakehouse(CHECKOUT / "conf" / "flights", "databricks").export("databricks")
    assert found.file == CHECKOUT / "databricks.yml"
    assert found.file.read_text(encoding="utf-8") == found.text
    assert found.drift() == []


def test_tasks_and_dependencies_are_the_graphs():
    project = checked(read(CHECKOUT / "conf" / "flights", "databricks"))
    found = document(project)["resources"]["jobs"]["flights"]["tasks"]
    edges = {each["task_key"]: {need["task_key"] for need in each.get("depends_on", [])} for each in found}
    assert edges == {
        each.name.replace(".", "__"): {need.replace(".", "__") for need in each.needs} for each in tasks(project)
    }
    assert edges["models__flight_late"] == {"datasets__late_flights", "tuning__flight_late"}
    clusters = {each["task_key"]: each["job_cluster_key"] for each in found}
    assert {name for name, on in clusters.items() if on == "gpu"} == {
        "tuning__flight_late",
        "models__flight_late",
        "gold__flight_late_scores",
    }


def test_every_task_runs_one_step_by_the_wheel(conf):
    for task in job(conf)["tasks"]:
        wheel = task["python_wheel_task"]
        assert (wheel["package_name"], wheel["entry_point"]) == ("lakeloom", "lakeloom-step")
        assert wheel["parameters"] == [
            "--conf", "${workspace.file_path}/conf/shop", "--env", "databricks",
            "--select", task["task_key"].replace("__", "."),
        ]  # fmt: skip
        assert task["libraries"][0] == {"whl": "./dist/databricks/*.whl"}
        assert (task["max_retries"], task["min_retry_interval_millis"], task["timeout_seconds"]) == (3, 120_000, 3600)


def test_schedule_mail_rights_and_targets_are_the_configs(conf):
    found = made(conf)
    told = job(conf)
    assert told["schedule"] == {
        "quartz_cron_expression": "0 30 4 ? * MON,TUE,WED,THU,FRI",
        "timezone_id": "Europe/Oslo",
        "pause_status": "UNPAUSED",
    }
    assert told["email_notifications"]["on_failure"] == ["oncall@example.com"]
    assert told["permissions"] == [{"group_name": "users", "level": "CAN_VIEW"}]
    assert set(found["targets"]) == {"dev", "staging", "prod"}
    assert found["targets"]["prod"] == {
        "mode": "production",
        "workspace": {"root_path": "/Workspace/Shared/shop"},
        "run_as": {"service_principal_name": "app-1"},
        "variables": {"catalog": "prod", "root": "/Volumes/prod/shop/root/a"},
    }
    assert found["targets"]["dev"]["variables"]["workers"] == 1
    cluster = told["job_clusters"][0]["new_cluster"]
    assert cluster["spark_env_vars"] == {"LAKELOOM_HOME": "${var.root}", "SHOP_URL": "jdbc:shop"}
    assert cluster["spark_conf"]["spark.databricks.cluster.profile"] == "singleNode"


def test_resources_are_typed(conf):
    assert Job.from_dict(job(conf)).as_dict() == job(conf)
    with pytest.raises(ValueError, match="Unexpected field 'max_retry'"):
        Job.from_dict({"tasks": [{"task_key": "a", "max_retry": 1}]})


def test_it_reads_back_and_says_how_it_was_written(conf):
    project = checked(read(conf, "databricks"))
    text = bundle(project, Asked())
    assert text.startswith("# Written by 'lakeloom export databricks'.")
    assert YAML(typ="safe").load(text) == document(project)
    assert "://" not in text
    assert "host" not in text


def test_secrets_become_references_and_are_never_read(conf, monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_SHOP_KEY", "hunter22")
    with (conf / "shop" / "sources.yml").open("a") as stream:
        stream.write(
            "  shop: {kind: jdbc, url: '${env:SHOP_URL}', password: '${secret:shop/key}', table: t, keys: [a]}\n"
        )
    with (conf / "databricks.yml").open("a") as stream:
        stream.write("spark: {spark.hadoop.shop: '${secret:shop/other}', spark.master: local, spark.x: true}\n")
    cluster = job(conf)["job_clusters"][0]["new_cluster"]
    assert cluster["spark_env_vars"]["LAKELOOM_SECRET_SHOP_KEY"] == "{{secrets/shop/key}}"
    assert cluster["spark_conf"]["spark.hadoop.shop"] == "{{secrets/shop/other}}"
    assert cluster["spark_conf"]["spark.x"] == "true"
    assert "spark.master" not in job(conf)["job_clusters"][1]["new_cluster"]["spark_conf"]
    assert "hunter22" not in bundle(checked(read(conf, "databricks")), Asked())


def test_a_variable_that_the_clusters_lack_is_named(conf):
    with (conf / "shop" / "sources.yml").open("a") as stream:
        stream.write("  other: {kind: files, path: '${env:SHOP_IN}/x/*.csv', format: csv}\n")
    with pytest.raises(ConfigError, match="LL-CONF-008") as caught:
        made(conf)
    assert "SHOP_IN has no value" in caught.value.message
    assert "add SHOP_IN" in caught.value.fix


def test_an_environment_without_the_section_is_told_so(conf):
    with pytest.raises(ConfigError, match="LL-CONF-018") as caught:
        document(checked(read(conf)))
    assert "conf/databricks.yml" in caught.value.fix


def test_tasks_that_would_refuse_each_other_are_not_exported(conf):
    (conf / "databricks.yml").write_text(SECTION.replace("wait_s: 60\n", ""))
    with pytest.raises(ConfigError, match="LL-CONF-018") as caught:
        made(conf)
    assert "wait_s: 3600" in caught.value.fix


def test_a_schedule_that_quartz_cannot_say_is_refused(conf):
    (conf / "databricks.yml").write_text(SECTION.replace("30 4 * * 1-5", "30 4 1 * 1"))
    with pytest.raises(ExportError, match="LL-EXPORT-002"):
        made(conf)


def test_a_missing_package_names_the_extra(conf, monkeypatch):
    monkeypatch.setitem(sys.modules, "databricks.bundles.jobs", None)
    with pytest.raises(SetupError, match="LL-SETUP-003") as caught:
        made(conf)
    assert "pip install 'lakeloom[databricks]'" in caught.value.fix


def test_a_wheel_of_ones_own_is_not_built(conf):
    (conf / "databricks.yml").write_text(
        SECTION.replace("databricks:\n", "databricks:\n  wheel: /Volumes/a/b/c/lakeloom-1.whl\n")
    )
    assert "artifacts" not in made(conf)
    assert job(conf)["tasks"][0]["libraries"] == [{"whl": "/Volumes/a/b/c/lakeloom-1.whl"}]


def test_models_run_on_the_machines_for_models(conf):
    (conf / "shop" / "models.yml").write_text(
        MODELS.replace("spent.*", "order_id").replace("as_of: ordered_at", "as_of: ordered_on")
    )
    tables = conf / "shop" / "tables.yml"
    tables.write_text(
        tables.read_text().replace("order_id: {type: bigint,", "order_id: {type: bigint, available_at: ordered_on,")
    )
    found = {each["task_key"]: each for each in job(conf)["tasks"]}
    assert {name for name, each in found.items() if each["job_cluster_key"] == "gpu"} == {
        "models__big",
        "gold__big_scores",
    }
    assert found["models__big"]["libraries"][1] == {"pypi": {"package": "hyperopt==0.3.0"}}


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("/Volumes/dev/shop/root", "/mnt/shop", "databricks.targets.dev.root", "no path in a volume"),
        ("/Volumes/dev/shop/root", "/Volumes/prod/shop/root", "databricks.targets.dev", "lies in the catalog prod"),
        ("default: true, ", "", "databricks", "exactly one target is the default"),
        ("workers: 0", "wrokers: 0", "databricks.cluster.wrokers", "'wrokers' is not a key"),
        ("group: users", "group: users, service_principal: x", "databricks.permissions.0", "either group or"),
        ("oncall@example.com", "oncall", "databricks.email.on_failure.0", "pattern"),
        ("SHOP_URL", "shop-url", "databricks.environment", "pattern"),
        ("node: small, ", "", "databricks.cluster.node", "node is missing"),
    ],
)  # fmt: skip
def test_mistakes_in_the_section_are_findings(conf, old, new, path, says):
    assert old in SECTION
    (conf / "databricks.yml").write_text(SECTION.replace(old, new, 1))
    found = check(read(conf, "databricks"))[1]
    assert any(each.path.startswith(path) and says in each.message for each in found), [str(each) for each in found]
    assert all(each.file == "conf/databricks.yml" and each.line > 0 for each in found)
