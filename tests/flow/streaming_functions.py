"""Functions of streaming tables that the tests declare."""


def firsts(inputs):
    return inputs["bronze.changes"].dropDuplicatesWithinWatermark(["k", "v"]).select("k", "v", "at")


def rewound(inputs):
    """Give a row twice, in a way that Spark can't stream."""
    return inputs["bronze.changes"].orderBy("at").limit(3)
