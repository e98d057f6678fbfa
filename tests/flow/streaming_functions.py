"""Functions of streaming tables that the tests declare."""


def firsts(inputs):
    return inputs["bronze.changes"].dropDuplicatesWithinWatermark(["k", "v"]).select("k", "v", "at")


def rewound(inputs):
    """Give a row twice, in a way that Spark can't stream."""
    return inputs["bronze.changes"].orderBy("at").limit(3)


def by_the_clock(inputs):
    """Remember keys until the machine's clock says otherwise; named so that its text alone does not tell."""
    from pyspark.sql.streaming.state import GroupStateTimeout

    def remember(key, frames, state):
        yield from frames

    timer = getattr(GroupStateTimeout, "Processing" + "Time" + "Timeout")
    grouped = inputs["bronze.changes"].groupBy("k")
    return grouped.applyInPandasWithState(remember, "k string", "n long", "append", timer)
