"""Land what is new at the sources: the steps that fill bronze.

By spark-submit: ``jobs/land.py --conf conf/flights --select 'x.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("land")
