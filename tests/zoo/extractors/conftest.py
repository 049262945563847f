from tests.evaluation.conftest import source  # noqa: F401 (a fixture)
