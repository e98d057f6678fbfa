"""Upkeep: the steps that put files together and delete what no kept version needs.

By spark-submit: ``jobs/upkeep.py --conf conf/flights --select 'upkeep.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("upkeep")
