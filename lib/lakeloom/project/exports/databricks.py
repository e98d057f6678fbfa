"""The graph as a Databricks bundle: one job, a task a step, with the graph's dependencies.

Each resource goes through the typed classes of ``databricks-bundles``, which refuse a field that the
platform does not know. The wheel is built without what a runtime brings itself (Spark, Delta,
MLflow …), so that installing it changes none of that.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lakeloom.config.placeholders import placeholders, secret_variable, translate
from lakeloom.core.errors import ConfigError
from lakeloom.core.extras import coded
from lakeloom.project.exports.targets import Cluster, Databricks, Target
from lakeloom.project.exports.tasks import Asked, Task, conf_of, head, tasks
from lakeloom.project.schedule import Schedule
from lakeloom.project.spec import Project, SourceSpec
from lakeloom.sinks.spec import ExportSpec

if TYPE_CHECKING:
    from databricks.bundles.jobs import Job

ENTRY_POINT = "lakeloom-step"
WHEELS = "dist/databricks"
BUILD = f"rm -rf build {WHEELS} && LAKELOOM_WHEEL=runtime python -m pip wheel --no-deps --wheel-dir {WHEELS} ."


def bundle(project: Project, asked: Asked) -> str:
    """Return ``databricks.yml``.

    Raises
    ------
    ConfigError
        LL-CONF-018 without ``databricks:`` or ``wait_s:``, LL-CONF-008 for a variable that the clusters would lack.
    ExportError
        LL-EXPORT-002 for a schedule that Quartz can't say.
    SetupError
        LL-SETUP-003 without the extra ``databricks``.
    """
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(pure=True)
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(document(project), text)
    return f"# {head('databricks', project.settings.env)}\n{text.getvalue()}"


def document(project: Project) -> dict[str, Any]:
    """Return the bundle as plain data."""
    config = project.settings.databricks
    if config is None:
        raise ConfigError(
            "LL-CONF-018",
            f"the environment '{project.settings.env}' has no databricks: section",
            where="databricks",
            fix="write one into conf/databricks.yml, and name it with --env",
        )
    if not project.settings.wait_s:
        raise ConfigError(
            "LL-CONF-018",
            "wait_s is 0: tasks side by side on one storage root would refuse each other",
            where="wait_s",
            fix="write wait_s: 3600 beside databricks:",
        )
    built = {} if config.wheel else {"artifacts": {"lakeloom": _artifact()}}
    return {
        "bundle": {"name": project.name},
        "sync": {"paths": [f"./{conf_of(project).rpartition('/')[0] or '.'}"]},
        **built,
        "variables": _variables(config),
        "resources": {"jobs": {project.name: job(project, config).as_dict()}},
        "targets": {name: _target(target) for name, target in config.targets.items()},
    }


def job(project: Project, config: Databricks) -> Job:
    """Return the job, typed."""
    with coded("export databricks"):
        from databricks.bundles.jobs import Job
    _variables_are_given(project, config)
    schedule = project.settings.schedule
    clusters = {"main": config.cluster} | ({"gpu": config.gpu} if config.gpu else {})
    return Job.from_dict(
        {
            "name": project.name,
            "max_concurrent_runs": 1,
            "queue": {"enabled": True},
            "tags": {"lakeloom": project.name},
            "job_clusters": [_cluster(project, config, key, cluster) for key, cluster in clusters.items()],
            "tasks": [_task(project, config, each) for each in tasks(project)],
            "email_notifications": {
                "on_start": list(config.email.on_start),
                "on_success": list(config.email.on_success),
                "on_failure": list(config.email.on_failure),
                "no_alert_for_skipped_runs": True,
            },
            "permissions": [
                {
                    "level": each.level,
                    "group_name": each.group,
                    "service_principal_name": each.service_principal,
                }
                for each in config.permissions
            ],
            "schedule": None
            if schedule is None
            else {
                "quartz_cron_expression": schedule.quartz(),
                "timezone_id": schedule.timezone,
                "pause_status": "PAUSED" if schedule.paused else "UNPAUSED",
            },
        }
    )


def key(step: str) -> str:
    """Return a step's name as a task's key, which may hold no dot: ``silver__flights``."""
    return step.replace(".", "__")


def _task(project: Project, config: Databricks, task: Task) -> Any:
    on, cluster = ("gpu", config.gpu) if config.gpu and task.model else ("main", config.cluster)
    schedule = project.settings.schedule or Schedule(cron="0 0 * * *")
    return {
        "task_key": key(task.name),
        "description": task.description or None,
        "depends_on": [{"task_key": key(name)} for name in task.needs],
        "job_cluster_key": on,
        "python_wheel_task": {
            "package_name": "lakeloom",
            "entry_point": ENTRY_POINT,
            "parameters": [
                *("--conf", f"${{workspace.file_path}}/{conf_of(project)}"),
                *("--env", project.settings.env),
                *("--select", task.name),
            ],
        },
        "libraries": [
            {"whl": config.wheel or f"./{WHEELS}/*.whl"},
            *({"pypi": {"package": each}} for each in cluster.libraries),
        ],
        "max_retries": schedule.retries,
        "min_retry_interval_millis": schedule.retry_after.seconds * 1000,
        "retry_on_timeout": False,
        "timeout_seconds": schedule.timeout.seconds,
    }


def _cluster(project: Project, config: Databricks, name: str, cluster: Cluster) -> Any:
    node, workers = ("gpu_node", "gpu_workers") if name == "gpu" else ("node", "workers")
    alone = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
    return {
        "job_cluster_key": name,
        "new_cluster": {
            "spark_version": cluster.runtime,
            "node_type_id": f"${{var.{node}}}",
            "num_workers": f"${{var.{workers}}}",
            "data_security_mode": "SINGLE_USER",
            "spark_conf": {
                "spark.databricks.sql.initial.catalog.name": "${var.catalog}",
                **(alone if cluster.workers == 0 else {}),
                **_spark(project, config),
            },
            "spark_env_vars": {"LAKELOOM_HOME": "${var.root}"} | config.environment | _secrets(project),
            **({"custom_tags": {"ResourceClass": "SingleNode"}} if cluster.workers == 0 else {}),
        },
    }


def _spark(project: Project, config: Databricks) -> dict[str, str]:
    """Return the environment's Spark settings; the master is the platform's own business."""
    found = {}
    for name, value in project.settings.spark.items():
        if name != "spark.master":
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found[name] = translate(text, partial(_variable, config), _reference)
    return found


def _variable(config: Databricks, name: str, default: str | None) -> str:
    value = config.environment.get(name, default)
    if value is None:
        raise ConfigError(
            "LL-CONF-008",
            f"the environment variable {name} has no value on the clusters",
            where="databricks.environment",
            fix=f"add {name}: … there, or write ${{env:{name}:-default}}",
        )
    return value


def _variables_are_given(project: Project, config: Databricks) -> None:
    todo: list[Any] = [each.options for each in _reached(project)]
    while todo:
        value = todo.pop()
        if isinstance(value, dict | list):
            todo += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str):
            translate(value, partial(_variable, config), _reference)


def _secrets(project: Project) -> dict[str, str]:
    """Return the variables that the config's secrets are read from, as references to secret scopes."""
    said = [each.options for each in _reached(project)]
    names = sorted({name for each in said for kind, name in placeholders(each) if kind == "secret"})
    return {secret_variable(name): _reference(name) for name in names}


def _reached(project: Project) -> list[SourceSpec | ExportSpec]:
    """Return what reaches out of the platform."""
    return [*project.sources.values(), *project.exports.values()]


def _reference(secret: str) -> str:
    return f"{{{{secrets/{secret}}}}}"


def _artifact() -> dict[str, Any]:
    return {"type": "whl", "path": ".", "build": BUILD, "files": [{"source": f"./{WHEELS}/*.whl"}]}


def _variables(config: Databricks) -> dict[str, Any]:
    found: dict[str, Any] = {
        "catalog": {"description": "The Unity Catalog that names without a catalog belong to."},
        "root": {"description": "The storage root, in a volume."},
        "node": {"description": "The machines of the job cluster.", "default": config.cluster.node},
        "workers": {"description": "Machines beside the driver's.", "default": config.cluster.workers},
    }
    if config.gpu:
        found["gpu_node"] = {"description": "The machines that train and tune.", "default": config.gpu.node}
        found["gpu_workers"] = {"description": "… beside the driver's.", "default": config.gpu.workers}
    return found


def _target(target: Target) -> dict[str, Any]:
    given = target.model_dump(include={"catalog", "root", "node", "gpu_node", "workers", "gpu_workers"})
    return {
        **({"mode": target.mode} if target.mode else {}),
        **({"default": True} if target.default else {}),
        **({"workspace": {"root_path": target.path}} if target.path else {}),
        **({"run_as": {"service_principal_name": target.run_as}} if target.run_as else {}),
        "variables": {name: value for name, value in given.items() if value is not None},
    }
