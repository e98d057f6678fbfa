"""The submit commands: what Spark's own parser of the command line makes of them, for each manager and each place."""

import subprocess
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError
from lakeloom.project.check import checked
from lakeloom.project.exports.submit import commands, stretches
from lakeloom.project.exports.tasks import Asked, Task
from tests.project.test_check import MODELS, SCORED
from tests.shop import lay_out

OVERLAY = """\
root: /data/shop
spark:
  spark.master: ${env:KUBE_MASTER:-k8s://https://kube:6443}
  spark.kubernetes.container.image: registry/lakeloom:1
  spark.executor.instances: 4
  spark.sql.shuffle.partitions: ${env:PARTITIONS:-"8"}
  spark.hadoop.fs.s3a.secret.key: ${secret:s3/key}
  spark.note: a "quoted" $HOME `id` back\\slash
  spark.speculation: true
"""
PLACES = [("kubernetes", "client"), ("kubernetes", "cluster"), ("yarn", "client"), ("yarn", "cluster")]


@pytest.fixture
def conf(tmp_path):
    made = lay_out(tmp_path)
    (made / "far.yml").write_text(OVERLAY)
    return made


def script(conf, manager, deploy):
    return commands(checked(read(conf, "far")), Asked(manager=manager, deploy=deploy))


def arguments(text, tmp_path, **env):
    """Run the script by a real shell whose spark-submit notes its arguments; return those of each call."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "jars").mkdir(exist_ok=True)
    for name in ("delta-spark.jar", "delta-storage.jar"):
        (tmp_path / "jars" / name).touch()
    noted = tmp_path / "noted"
    program = tmp_path / "bin" / "spark-submit"
    program.write_text(f"#!/bin/bash\nprintf '%s\\0' \"$@\" >> {noted}\nprintf '\\1' >> {noted}\n")
    program.chmod(0o755)
    (tmp_path / "submit.sh").write_text(text)
    words = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "LAKELOOM_JARS": "jars", "LAKELOOM_HOME": "/data/shop"} | env
    subprocess.run(["bash", tmp_path / "submit.sh"], env=words, cwd="/", check=True, timeout=60)
    return [call.split("\0")[:-1] for call in noted.read_text().split("\1")[:-1]]


def parsed(spark, call):
    """Return what Spark's own parser reads from the arguments."""
    jvm = spark._jvm
    words, env = jvm.java.util.ArrayList(), jvm.java.util.HashMap()
    for word in call:
        words.add(word)
    env.put("HADOOP_CONF_DIR", "/etc/hadoop")  # on YARN it must be set; nothing is read
    scala = jvm.org.apache.spark.api.python.PythonUtils
    return jvm.org.apache.spark.deploy.SparkSubmitArguments(scala.toSeq(words), scala.toScalaMap(env))


def here(spark, *files):
    """Return local files as the parser names them: by their place in the JVM's working folder."""
    folder = spark._jvm.java.lang.System.getProperty("user.dir")
    return ",".join(f"file:{folder}/{file}" for file in files)


def properties(found):
    iterator = found.sparkProperties().iterator()
    read = {}
    while iterator.hasNext():
        pair = iterator.next()
        read[pair._1()] = pair._2()
    return read


@pytest.mark.parametrize(("manager", "deploy"), PLACES)
def test_sparks_own_parser_reads_every_command(conf, spark, tmp_path, manager, deploy):
    calls = arguments(script(conf, manager, deploy), tmp_path)
    assert len(calls) == 2  # land, transform
    for call, kind in zip(calls, ("land", "transform"), strict=True):
        found = parsed(spark, call)
        assert found.master() == ("yarn" if manager == "yarn" else "k8s://https://kube:6443")
        assert found.deployMode() == deploy
        assert found.isPython()
        assert found.name() == f"shop-{kind}"
        inside = deploy == "cluster"
        image = inside and manager == "kubernetes"
        assert found.primaryResource() == (
            f"local:///opt/lakeloom/jobs/{kind}.py" if image else here(spark, f"jobs/{kind}.py")
        )
        assert found.pyFiles() == (None if image else here(spark, "dist/lakeloom.zip"))
        assert found.jars() == (None if image else here(spark, "jars/delta-spark.jar", "jars/delta-storage.jar"))
        archives = here(spark, *["dist/environment.tar.gz#environment", "dist/project.zip#project"][: 1 + inside])
        assert found.archives() == (archives if manager == "yarn" else None)
        rest = [found.childArgs().apply(index) for index in range(found.childArgs().length())]
        where = (
            {True: "project/", False: ""}[inside] if manager == "yarn" else {True: "/opt/lakeloom/", False: ""}[inside]
        )
        assert rest[:5] == ["--conf", f"{where}conf/shop", "--env", "far", "--select"]
        assert all(name.startswith("bronze." if kind == "land" else ("silver.", "gold.")) for name in rest[5:])
        settings = properties(found)
        assert settings["spark.note"] == 'a "quoted" $HOME `id` back\\slash'
        assert settings["spark.speculation"] == "true"
        assert settings["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"
        assert not any("secret" in name for name in settings)


@pytest.mark.parametrize(("manager", "deploy"), PLACES)
def test_the_demos_own_overlays_are_read_by_it_too(spark, tmp_path, manager, deploy):
    project = checked(read(Path(__file__).parents[3] / "conf" / "flights", manager))
    calls = arguments(commands(project, Asked(manager=manager, deploy=deploy)), tmp_path)
    assert {call[call.index("--name") + 1] for call in calls} > {"flights-land", "flights-transform", "flights-train"}
    for call in calls:
        found = parsed(spark, call)
        assert (found.deployMode(), found.isPython()) == (deploy, True)
        assert properties(found)["spark.executor.memory"] == "4g"


def test_a_command_that_is_wrong_would_be_refused(spark, tmp_path):
    with pytest.raises(Exception, match="deploy-mode must be either"):
        parsed(spark, ["--master", "yarn", "--deploy-mode", "nowhere", "jobs/land.py"])


def test_variables_are_the_shells_and_secrets_stay_out(conf, tmp_path, monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_S3_KEY", "hunter22")
    text = script(conf, "yarn", "cluster")
    assert "hunter22" not in text
    assert "# Secrets, for a file that --properties-file names: spark.hadoop.fs.s3a.secret.key" in text
    calls = arguments(text, tmp_path, PARTITIONS="64; touch x")
    assert "spark.sql.shuffle.partitions=64; touch x" in calls[0]
    assert "spark.yarn.appMasterEnv.LAKELOOM_HOME=/data/shop" in calls[0]
    with pytest.raises(subprocess.CalledProcessError):
        arguments(text.replace("${LAKELOOM_HOME:?}", "${LAKELOOM_NOWHERE:?}"), tmp_path)


def test_the_programs_are_those_of_the_checkout(conf):
    text = script(conf, "yarn", "client")
    named = {word.removeprefix("jobs/") for word in text.split() if word.startswith("jobs/")}
    assert named
    assert named <= {file.name for file in (Path(__file__).parents[3] / "jobs").iterdir()}


def test_steps_of_one_kind_share_an_application_as_far_as_the_graph_allows():
    made = [
        Task("bronze.a", "land", (), ""),
        Task("silver.a", "transform", ("bronze.a",), ""),
        Task("bronze.b", "land", (), ""),
        Task("features.v", "materialise", ("silver.a",), ""),
        Task("gold.b", "transform", ("bronze.b", "silver.a"), ""),
        Task("models.m", "train", ("features.v",), ""),
        Task("gold.scores", "materialise", ("models.m",), ""),
        Task("gold.report", "transform", ("gold.scores",), ""),
    ]
    assert stretches(made) == [
        ("land", ["bronze.a", "bronze.b"]),
        ("transform", ["silver.a", "gold.b"]),
        ("materialise", ["features.v"]),
        ("train", ["models.m"]),
        ("materialise", ["gold.scores"]),
        ("transform", ["gold.report"]),
    ]


def test_a_table_over_scores_comes_after_them(conf):
    (conf / "shop" / "models.yml").write_text(MODELS.replace("spent.*", "order_id").replace("ordered_at", "ordered_on"))
    tables = conf / "shop" / "tables.yml"
    text = tables.read_text().replace("order_id: {type: bigint,", "order_id: {type: bigint, available_at: ordered_on,")
    tables.write_text(text + SCORED)
    lines = [line for line in script(conf, "yarn", "client").splitlines() if "jobs/" in line]
    kinds = [line.split()[0] for line in lines]
    assert kinds == [
        f"jobs/{kind}.py" for kind in ("land", "transform", "materialise", "train", "materialise", "transform")
    ]
    assert lines[-1].endswith("gold.totals")


def test_an_environment_without_such_a_cluster_is_told_so(conf):
    with pytest.raises(ConfigError, match="LL-CONF-018") as caught:
        commands(checked(read(conf)), Asked(manager="kubernetes"))
    assert "k8s://" in caught.value.fix
    assert "--master yarn" in commands(checked(read(conf)), Asked(manager="yarn"))


@pytest.mark.parametrize("wrong", [{"manager": "mesos"}, {"deploy": "here"}])
def test_other_managers_and_places_are_refused(conf, wrong):
    with pytest.raises(ConfigError, match="LL-CONF-004"):
        open_lakehouse(conf / "shop", "far").export("submit", **wrong)
