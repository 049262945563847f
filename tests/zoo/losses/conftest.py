from tests.helpers.independent import double_precision  # noqa: F401 (a fixture that every test here uses)
