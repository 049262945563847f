import pytest

from tests.probe.installed import installed


@pytest.fixture(scope="module")
def probe():
    """The distribution `gan-probe` is installed while a module's tests run."""
    with installed():
        yield
