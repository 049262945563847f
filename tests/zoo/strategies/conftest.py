import pytest

from tests.zoo.strategies.every import OVERRIDES


@pytest.fixture(scope="session")
def base(compose):
    """The configuration of `every.py`."""
    return compose(*OVERRIDES)
