"""Exports: the steps that hand tables out, to object stores and databases.

By spark-submit: ``jobs/export.py --conf conf/flights --select 'exports.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("export")
