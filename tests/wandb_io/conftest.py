from tests.helpers.recorded import folders, recorded  # noqa: F401 (fixtures)
