"""Transform: the steps that make silver and gold tables.

By spark-submit: ``jobs/transform.py --conf conf/flights --select 'x.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("transform")
