"""A table's function that works in Python, where a plan sees nothing."""


def doubled(inputs):
    (orders,) = inputs.values()

    def work(batches):
        for batch in batches:
            yield batch.assign(amount=batch["amount"] * 2)[["id", "amount"]]

    return orders.select("id", "amount").mapInPandas(work, "id bigint, amount double")
