from tests.evaluation.conftest import conditional_game, game, source  # noqa: F401 (fixtures)
