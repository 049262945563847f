import pytest
import torch
from gan_framework.api import DiscriminatorOutput
from gan_framework.testing import PluginContract, check_plugin
from torch.nn import functional as F

from gan_framework_example.focal import Focal, focal


class TestContract(PluginContract):
    kind = "losses"
    name = "focal"


def test_without_focus_it_is_the_cross_entropy():
    logits = torch.tensor([-3.0, 0.0, 2.0])
    assert torch.allclose(focal(logits, 0.0), F.binary_cross_entropy_with_logits(logits, torch.ones(3)))
    check_plugin("losses", "focal", gamma=0.0)


def test_the_formula_by_hand():
    # D = sigmoid(log 3) = 3/4, so with gamma = 2 the loss is -(1/4)² log(3/4).
    logits = torch.tensor([3.0]).log()
    assert focal(logits, 2.0).item() == pytest.approx(0.0625 * 0.2876820724)
    assert Focal(2.0).fake_half(DiscriminatorOutput(-logits)).item() == pytest.approx(0.0625 * 0.2876820724)


def test_a_negative_gamma_is_refused():
    with pytest.raises(ValueError, match="gamma=-1"):
        Focal(-1.0)
