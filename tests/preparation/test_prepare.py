import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lakeloom.core.errors import TrainError
from lakeloom.preparation.prepare import Preparation, PreparationConfig

TABLE = pa.table(
    {
        "carrier": ["a", "a", "b", "b", "b", "rare", None],
        "hour": pa.array([1, 1, 2, 2, 2, 3, None]),
        "delay": pa.array([0.0, 1.0, 2.0, 3.0, 4.0, 1000.0, None]),
        "holiday": pa.array([True, False, False, None, True, False, True]),
    }
)
CONFIG = PreparationConfig(embed=("hour",), min_count=2)


def fitted():
    return Preparation.fit(TABLE, TABLE.column_names, CONFIG)


def test_frequent_values_have_codes_and_all_else_is_zero():
    arrays = fitted().arrays(TABLE)
    assert arrays.categories[:, 0].tolist() == [2, 2, 1, 1, 1, 0, 0]
    assert arrays.categories[:, 1].tolist() == [2, 2, 1, 1, 1, 0, 0]
    assert arrays.categories.dtype == np.int64
    assert fitted().sizes == (3, 3)


def test_numbers_are_scaled_and_nulls_marked():
    arrays = fitted().arrays(TABLE)
    assert arrays.numbers.dtype == np.float32
    assert arrays.numbers.shape == (7, fitted().width) == (7, 4)
    assert arrays.numbers[:6, 0].mean() == pytest.approx(0, abs=1e-6)
    assert arrays.numbers[6].tolist()[:2] == [0, 1]


def test_trees_get_raw_numbers_with_nan():
    matrix = fitted().matrix(TABLE)
    assert matrix[5, 2] == 1000.0
    assert np.isnan(matrix[6, :3]).all()
    assert matrix[0, 0] == 1


def test_json_and_pandas_give_the_same_arrays():
    again = Preparation.model_validate_json(fitted().model_dump_json())
    frame = TABLE.to_pandas()
    assert isinstance(frame, pd.DataFrame) and frame["hour"].dtype == float
    frame["holiday"] = frame["holiday"].astype(object)
    for one, two in ((again.arrays(TABLE), fitted().arrays(frame)),):
        assert (one.categories == two.categories).all()
        assert (one.numbers == two.numbers).all()


def test_unseen_values_infinite_ones_and_empty_columns_do_no_harm():
    odd = pa.table({"carrier": ["new"], "hour": [99], "delay": [float("inf")], "holiday": pa.array([None], pa.bool_())})
    arrays = fitted().arrays(odd)
    assert arrays.categories.tolist() == [[0, 0]]
    assert np.isfinite(arrays.numbers).all()
    nothing = Preparation.fit(pa.table({"x": pa.array([None, None], pa.float64())}), ["x"], PreparationConfig())
    assert nothing.arrays(pa.table({"x": [5.0]})).numbers[0, 0] == 5.0


def test_a_missing_feature_and_a_time_are_refused():
    with pytest.raises(TrainError, match="LL-TRAIN-006"):
        fitted().arrays(TABLE.drop_columns(["delay"]))
    times = pa.table({"at": pa.array([0, 1], pa.timestamp("us"))})
    with pytest.raises(TrainError, match="LL-TRAIN-006"):
        Preparation.fit(times, ["at"], PreparationConfig())
