"""Contract suites: what the framework asks of each kind of plugin, for the tests of those who write them.

from gan_framework.testing import PluginContract, check_plugin

class TestFocal(PluginContract):
    kind = "losses"
    name = "focal"

def test_focal_without_focus():
    check_plugin("losses", "focal", gamma=0.0)
"""

from gan_framework.testing.guards import ContractBroken
from gan_framework.testing.suites import CHECKS, PluginContract, check_plugin

__all__ = ["CHECKS", "ContractBroken", "PluginContract", "check_plugin"]
