"""Of an error in a plugin's code it is said whose it is and where; the framework's own are no plugin's."""

import pytest

from gan_framework.cli.exit_codes import exit_code
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.blame import fault
from gan_framework.runs.summary import describe

FAULTY = """
from gan_framework.api import AdversarialLoss
class Loss(AdversarialLoss):
    def discriminator(self, real, fake):
        return helper()
    def generator(self, fake, real=None):
        return fake.logits.mean()
def helper():
    return undefined
"""


@pytest.fixture
def faulty(install):
    install("Faulty_Dist", {"losses": {"faulty": "faulty_dist:Loss"}}, {"faulty_dist.py": FAULTY})
    return registry.build("losses", {"name": "faulty"})


def test_an_error_in_a_plugins_code_shows_its_calls_and_says_whose_it_is(faulty, capsys, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    assert exit_code(lambda: faulty.discriminator(None, None)) == 1
    *calls, last = capsys.readouterr().err.splitlines()
    assert "    return helper()" in calls and "    return undefined" in calls
    assert not any("exit_codes.py" in call for call in calls)  # who called it is no fault
    assert last.startswith("error: NameError: name 'undefined' is not defined (Faulty_Dist 1.0: ")
    assert last.endswith("faulty_dist.py, line 9, in helper)")


def test_the_summary_of_a_run_says_it_too(faulty):
    with pytest.raises(NameError) as error:
        faulty.discriminator(None, None)
    assert describe(error.value).endswith("faulty_dist.py, line 9, in helper)")


def test_what_users_have_asked_for_is_said_without_calls(faulty, capsys, monkeypatch):
    def refused():
        try:
            faulty.discriminator(None, None)
        except NameError as error:
            raise ConfigError("loss.scale=-1: it must be positive") from error

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    assert exit_code(refused) == 2
    assert capsys.readouterr().err == "error: loss.scale=-1: it must be positive\n"


def test_an_error_of_the_frameworks_own_names_its_place_and_no_plugin(capsys, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    assert exit_code(lambda: registry.find("losses", None)) == 2
    assert exit_code(lambda: registry.installed("no kind")) == 1
    assert capsys.readouterr().err.splitlines()[-1].partition("(")[0] == "error: KeyError: 'no kind' "
    with pytest.raises(KeyError) as error:
        registry.installed("no kind")
    assert fault(error.value) is None
