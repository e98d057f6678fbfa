"""Materialise feature views, datasets and scores.

By spark-submit: ``jobs/materialise.py --conf conf/flights --select 'x.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("materialise")
