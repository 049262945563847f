"""How the samples to be scored are shared out among processes."""

import pytest

from gan_framework.core.distributed import Group
from gan_framework.evaluation.sharing import share


def group(rank, world):
    return Group(rank, world, None, None, None)


@pytest.mark.parametrize(
    ("count", "batch_size", "world"), [(200, 30, 2), (1000, 50, 4), (7, 2, 3), (100, 10, 8), (50_000, 100, 8)]
)
def test_each_sample_belongs_to_one_process_and_each_batch_is_one_that_a_single_process_makes(count, batch_size, world):
    shares = [share(count, batch_size, 0, group(rank, world)) for rank in range(world)]
    owned = [range(count)[one.own] for one in shares]
    assert [n for part in owned for n in part] == [*range(count)]
    assert all(part.start % batch_size == 0 for part in owned if part)
    assert all(len(part) <= one.rounds * batch_size for part, one in zip(owned, shares, strict=True))
    assert {one.rounds for one in shares} == {-(-len(owned[0]) // batch_size)}


@pytest.mark.parametrize(
    ("count", "kept", "world"),
    [(100, 0, None), (100, 51, 2), (10, 0, 2)],
    ids=["one process", "more are kept than the first makes", "one batch"],
)
def test_one_process_makes_all_where_they_cannot_be_shared_out(count, kept, world):
    assert share(count, 10, kept, None if world is None else group(0, world)) is None
    assert share(100, 10, 50, group(0, 2)) is not None
