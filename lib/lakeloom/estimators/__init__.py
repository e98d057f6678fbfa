"""Estimators: what can be fitted. One file a kind, its `Config` beside it.

A kind is a class with ``Config`` and either ``fit(data, config, seed)``, which fits on the driver, or
``network(preparation, config)`` with ``finish(preparation, config, network)``, whose weights the
training loop fits on its workers.
"""

ESTIMATORS = {
    "base_rate": "lakeloom.estimators.base_rate:BaseRate",
    "logistic": "lakeloom.estimators.logistic:Logistic",
    "boosting": "lakeloom.estimators.boosting:Boosting",
    "tabular_net": "lakeloom.estimators.tabular_net:TabularNet",
}
