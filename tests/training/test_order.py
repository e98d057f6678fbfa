import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.training.order import global_batch, order, sample, share, steps


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.integers(0, 2**63), st.integers(1, 20), st.integers(1, 64), st.integers(1, 9))
def test_every_row_once_an_epoch_at_any_number_of_workers(rows, seed, epoch, batch, size):
    ordered = order(rows, seed, epoch)
    seen = []
    for step in range(steps(rows, batch)):
        whole = global_batch(ordered, batch, step)
        cuts = [share(len(whole), rank, size) for rank in range(size)]
        assert np.concatenate([whole[start:stop] for start, stop in cuts]).tolist() == whole.tolist()
        assert max(stop - start for start, stop in cuts) - min(stop - start for start, stop in cuts) <= 1
        seen += whole.tolist()
    assert sorted(seen) == list(range(rows))


def test_the_order_depends_on_seed_and_epoch():
    orders = {order(50, seed, epoch).tobytes() for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9
    assert order(8, 7, 1).tolist() == order(8, 7, 1).tolist()


def test_a_sample_is_ascending_and_of_its_size():
    chosen = sample(1000, 0.1, 3)
    assert len(set(chosen)) == 100 and sorted(chosen) == chosen.tolist()
    assert len(sample(5, 1.0, 0)) == 5 and len(sample(5, 0.001, 0)) == 1
