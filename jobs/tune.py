"""Search for the models' parameters.

By spark-submit: ``jobs/tune.py --conf conf/flights --select 'x.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("tune")
