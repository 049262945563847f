"""What all tests share: no network, no accounts, a cache of their own, and composing a run."""

import os
import signal

import pytest

from tests.helpers import program as started
from tests.helpers.installing import install  # noqa: F401 (a fixture)


def pytest_configure(config):
    # One thread a worker: two workers on two cores would otherwise fight.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["WANDB_MODE"] = "offline"
    os.environ.pop("WANDB_API_KEY", None)
    # Whoever started the tests under nohup, or in the background of a script, has these ignored in all that they start.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGXCPU):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _nothing_goes_on():
    started.RUNNING.clear()
    yield
    for left in started.RUNNING:
        left.kill()


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One cache folder for the whole session, so that the classifier is trained once a worker."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    os.environ["GAN_FRAMEWORK_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def compose():
    """Compose a configuration from overrides, as plain mappings."""
    from gan_framework.config.compose import compose, plain
    from gan_framework.data.completing import with_found

    def composed(*overrides):
        return plain(with_found(compose(overrides)))

    return composed


@pytest.fixture(scope="session")
def program(cache):
    """Run the real program in a process of its own."""

    def run(*arguments, cwd=None, env=None, timeout=120, check=None):
        done = started.run(arguments, cwd, env, timeout)
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    return run
