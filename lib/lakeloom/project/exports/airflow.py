"""The graph as an Airflow DAG: one file that needs Airflow only, its tasks run ``lakeloom run STEP``.

What may be changed from run to run (the project, the environment) are the DAG's parameters; they
reach the shell as variables, never as text of the command.
"""

from __future__ import annotations

import json

from lakeloom.project.exports.tasks import Asked, conf_of, head, tasks
from lakeloom.project.schedule import Schedule
from lakeloom.project.spec import Project

_FILE = '''\
"""The DAG {project}: a task a step of the graph.

{head}
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

# The folder that holds conf/: LAKELOOM_PROJECT on the workers, or where this file was written.
HOME = os.environ.get("LAKELOOM_PROJECT") or str((Path(__file__).parent / {up}).resolve())
# Step: the steps that it waits for.
STEPS: dict[str, list[str]] = {{
{steps}}}

with DAG(
    dag_id={dag},
    description={description},
    schedule={cron},
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo({zone})),
    catchup=False,  # a run takes all that is new: times that were missed are made good by one run
    max_active_runs=1,
    max_active_tasks=1,  # one step at a time is written on a storage root
    is_paused_upon_creation={paused},
    params={{"conf": {conf}, "env": {env}}},
    default_args={{
        "retries": {retries},
        "retry_delay": timedelta(seconds={retry_s}),
        "execution_timeout": timedelta(seconds={timeout_s}),
    }},
    tags=["lakeloom"],
) as dag:
    tasks = {{
        step: BashOperator(
            task_id=step,
            bash_command='lakeloom run "$LAKELOOM_STEP" --conf "$LAKELOOM_CONF" --env "$LAKELOOM_ENV"',
            env={{
                "LAKELOOM_STEP": step,
                "LAKELOOM_CONF": "{{{{ params.conf }}}}",
                "LAKELOOM_ENV": "{{{{ params.env }}}}",
            }},
            append_env=True,
            cwd=HOME,
        )
        for step in STEPS
    }}
    for step, needs in STEPS.items():
        for need in needs:
            tasks[need] >> tasks[step]
'''


def dag(project: Project, asked: Asked) -> str:
    """Return the DAG's file; it compiles without Airflow."""
    schedule = project.settings.schedule
    terms = schedule or Schedule(cron="0 0 * * *")
    steps = "".join(f"    {_text(task.name)}: {json.dumps(list(task.needs))},\n" for task in tasks(project))
    return _FILE.format(
        project=project.name,
        head=head("airflow", project.settings.env),
        up=_text(asked.up),
        steps=steps,
        dag=_text(project.name),
        description=_text(f"lakeloom: the project {project.name}"),
        cron=_text(schedule.cron) if schedule else "None",
        zone=_text(terms.timezone),
        paused=schedule.paused if schedule else True,
        conf=_text(conf_of(project)),
        env=_text(project.settings.env),
        retries=terms.retries,
        retry_s=terms.retry_after.seconds,
        timeout_s=terms.timeout.seconds,
    )


def _text(value: str) -> str:
    """Return a Python literal in double quotes."""
    return json.dumps(value)
