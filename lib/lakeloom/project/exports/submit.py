"""The graph as ``spark-submit`` commands for Kubernetes or YARN: a shell script, one command a stretch of steps.

A stretch is what can run in one application: steps of one kind whose inputs are made by stretches
before it, so that each command is one call of a file in ``jobs/``. Nothing of the cluster is written down that
the environment's ``spark:`` does not say; variables of the config are the shell's, and a setting
that is a secret is left out, because every user of a machine can read its command lines.

Unverified beyond Spark's own parser of the command line: no such cluster was at hand.
"""

from __future__ import annotations

import re

from lakeloom.config.placeholders import placeholders, translate
from lakeloom.core.errors import ConfigError
from lakeloom.project.exports.tasks import Asked, Task, conf_of, head, tasks
from lakeloom.project.spec import Project

# In a container image: conf/ and jobs/ of the checkout.
IMAGE = "/opt/lakeloom"
_START = """\
#!/bin/bash
# {head}
# Needs beside it: {needs}
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")/{up}"
"""
_JARS = """\
jars=$(printf '%s,' "${LAKELOOM_JARS:-environment/jars}"/*.jar)
"""
_CODE = "dist/lakeloom.zip (lib/lakeloom), Delta's jars"
_PYTHON = "dist/environment.tar.gz (the Python environment)"
_NEEDS = {
    ("kubernetes", "client"): f"{_CODE}, an image with the Python environment.",
    (
        "kubernetes",
        "cluster",
    ): f"an image: lakeloom in its Python, {IMAGE} with conf/ and jobs/, Delta's jars.",
    ("yarn", "client"): f"{_CODE}, {_PYTHON}.",
    ("yarn", "cluster"): f"{_CODE}, {_PYTHON}, dist/project.zip (conf/).",
}
_DELTA = "io.delta.sql.DeltaSparkSessionExtension"
_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"


def commands(project: Project, asked: Asked) -> str:
    """Return the script.

    Raises
    ------
    ConfigError
        LL-CONF-018 where ``spark.master`` names no cluster of the wanted kind.
    """
    kind = f"submit --manager {asked.manager} --deploy {asked.deploy}"
    needs = _NEEDS[asked.manager, asked.deploy]
    lines = [_START.format(head=head(kind, project.settings.env), needs=needs, up=asked.up)]
    if not _in_image(asked):
        lines.append(_JARS)
    hidden = [name for name, value in project.settings.spark.items() if _secret(value)]
    if hidden:
        lines.append(f"# Secrets, for a file that --properties-file names: {', '.join(hidden)}\n")
    for kind, names in stretches(tasks(project)):
        lines.append(_command(project, asked, kind, names))
    return "\n".join(lines)


def stretches(found: list[Task]) -> list[tuple[str, list[str]]]:
    """Return (kind, steps) of each application, in an order in which each comes after what it needs."""
    left, done, result = list(found), set[str](), list[tuple[str, list[str]]]()
    while left:
        kind = left[0].kind
        taken: list[Task] = []
        for task in left:
            if task.kind == kind and all(need in done or need in {each.name for each in taken} for need in task.needs):
                taken.append(task)
        if not taken:  # only a cycle, which `check` refuses
            taken = [left[0]]
        result.append((kind, [task.name for task in taken]))
        done |= {task.name for task in taken}
        left = [task for task in left if task.name not in done]
    return result


def _command(project: Project, asked: Asked, kind: str, names: list[str]) -> str:
    inside = asked.deploy == "cluster"
    words = [
        ("--master", _shell(_master(project, asked))),
        ("--deploy-mode", asked.deploy),
        ("--name", _shell(f"{project.name}-{kind}")),
    ]
    if not _in_image(asked):
        words += [("--py-files", "dist/lakeloom.zip"), ("--jars", '"${jars%,}"')]
    if asked.manager == "yarn":
        archives = ["dist/environment.tar.gz#environment", *(["dist/project.zip#project"] if inside else [])]
        words.append(("--archives", ",".join(archives)))
    words += [("--conf", _shell(f"{name}={value}")) for name, value in _settings(project, asked).items()]
    conf, jobs = conf_of(project), "jobs"
    if inside:
        conf = f"{IMAGE}/{conf}" if asked.manager == "kubernetes" else f"project/{conf}"
    if _in_image(asked):
        jobs = f"local://{IMAGE}/jobs"
    rest = ["--conf", conf, "--env", project.settings.env, "--select", *names]
    shown = " \\\n  ".join(f"{option} {value}" for option, value in words)
    return f"spark-submit \\\n  {shown} \\\n  {jobs}/{kind}.py {' '.join(_shell(word) for word in rest)}\n"


def _master(project: Project, asked: Asked) -> str:
    master = str(project.settings.spark.get("spark.master", ""))
    plain = translate(master, lambda name, default: default or "", lambda name: "")
    if asked.manager == "yarn":
        return "yarn"
    if plain.startswith("k8s://") or master.startswith("k8s://"):
        return master
    raise ConfigError(
        "LL-CONF-018",
        f"the environment '{project.settings.env}' names no Kubernetes master",
        where="spark.spark.master",
        fix="write spark.master: k8s://https://<host>:<port> into its overlay, and name it with --env",
    )


def _in_image(asked: Asked) -> bool:
    """Return whether driver and executors have all they need in their image."""
    return (asked.manager, asked.deploy) == ("kubernetes", "cluster")


def _settings(project: Project, asked: Asked) -> dict[str, str]:
    found = {"spark.sql.extensions": _DELTA, "spark.sql.catalog.spark_catalog": _CATALOG}
    if asked.manager == "yarn":
        python = "./environment/bin/python"
        found |= {"spark.yarn.appMasterEnv.PYSPARK_PYTHON": python, "spark.executorEnv.PYSPARK_PYTHON": python}
        found["spark.yarn.appMasterEnv.LAKELOOM_HOME"] = "${env:LAKELOOM_HOME}"
    elif asked.deploy == "cluster":
        found["spark.kubernetes.driverEnv.LAKELOOM_HOME"] = "${env:LAKELOOM_HOME}"
    for name, value in project.settings.spark.items():
        if name != "spark.master" and not _secret(value):
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _secret(value: object) -> bool:
    return any(kind == "secret" for kind, _ in placeholders(value))


def _shell(text: str) -> str:
    """Return `text` as one word of a shell; the config's variables become the shell's."""

    def variable(name: str, default: str | None) -> str:
        return f"\0${{{name}:?}}\0" if default is None else f"\0${{{name}:-{_quoted(default)}}}\0"

    # What stands between the marks is quoted; a variable is not, so that the shell sees it.
    parts = translate(text, variable, lambda _: "").split("\0")
    word = "".join(part if index % 2 else _quoted(part) for index, part in enumerate(parts))
    return word if re.fullmatch(r"[\w./:=,@%+-]+", word) else f'"{word}"'


def _quoted(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)
