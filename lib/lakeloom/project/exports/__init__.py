"""A project in the words of other schedulers: graph and settings in, text out; nothing is read or written here.

Each kind is a function of (project, `Asked`). `FILES` says where its text goes by default, relative to
the project's home; a kind that is not in it goes to standard output.
"""

EXPORTS = {
    "databricks": "lakeloom.project.exports.databricks:bundle",
    "airflow": "lakeloom.project.exports.airflow:dag",
    "submit": "lakeloom.project.exports.submit:commands",
}
FILES = {"databricks": "databricks.yml", "airflow": "dags/{project}.py"}
