"""What a step's exception becomes: a coded error that quotes no value and names what is missing."""

import errno

import pytest

from lakeloom.core.errors import TableError
from lakeloom.flow.explain import explained


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "LL-SETUP-003"),
        (RuntimeError("…\nModuleNotFoundError: No module named 'hyperopt'\n"), "LL-SETUP-003"),
        (ModuleNotFoundError("No module named 'mine'", name="mine"), "LL-RUN-004"),
        (OSError(errno.ENOSPC, "full"), "LL-STORE-004"),
        (RuntimeError("[CAST_INVALID_INPUT] the value 'kestrel'"), "LL-TABLE-005"),
        (RuntimeError("[STREAM_FAILED] ended … [CAST_INVALID_INPUT] the value 'kestrel'"), "LL-TABLE-005"),
        (RuntimeError("kestrel"), "LL-RUN-004"),
        (TableError("LL-TABLE-004", "x"), "LL-TABLE-004"),
    ],
)
def test_every_cause_is_coded(cause, code):
    error = explained(cause, "silver.orders")
    assert (error.code, error.where) == (code, "silver.orders")
    assert "kestrel" not in str(error)


def test_a_package_that_only_the_workers_lack_is_named(spark):
    def blind(rows):
        import sys

        kept = sys.path[:]
        sys.path[:] = [place for place in kept if "site-packages" not in place]
        try:
            import hyperopt  # noqa: F401
        finally:
            sys.path[:] = kept
        yield from rows

    with pytest.raises(Exception, match="hyperopt") as caught:  # Spark's own class, by its version
        spark.range(1).mapInPandas(blind, "id bigint").collect()
    error = explained(caught.value, "models.x")
    assert error.code == "LL-SETUP-003"
    assert "lakeloom[tune]" in error.fix
    assert "workers" in error.fix
