"""Train the models and register them.

By spark-submit: ``jobs/train.py --conf conf/flights --select 'x.*'``.
"""

from lakeloom.cli.job import main

if __name__ == "__main__":
    main("train")
