"""Functions of a project: one that passes its key in sight of Spark, one in Python that nothing can look into."""


def doubled(inputs):
    return inputs["silver.orders"].selectExpr("id", "amount * 2 as amount")


def totals(inputs):
    def work(batches):
        import pandas as pd

        frame = pd.concat(list(batches))
        yield frame.groupby("customer", as_index=False)["amount"].sum()

    return (
        inputs["silver.orders"]
        .select("customer", "amount")
        .coalesce(1)
        .mapInPandas(work, "customer string, amount double")
    )
