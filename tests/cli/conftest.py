"""What the tests of commands share."""

import pytest

from tests.helpers.in_process import called, last_line


@pytest.fixture
def call(capsys):
    """Run a program of ours in this process: its exit code, what it printed, and its last error line."""

    def call(*arguments, **options):
        code = called(*arguments, **options)
        printed = capsys.readouterr()
        return code, printed.out, last_line(printed.err)

    return call
