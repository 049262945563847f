import math
from functools import partial

import pytest
import torch

from gan_framework.runs import diagnostics
from gan_framework.runs.watch import Watch, diversity
from gan_zoo.losses.vanilla import MaximumLikelihood, Minimax, NonSaturating


def looks(watch, count, start=1, **figures):
    named = {f"health/{name}": value for name, value in figures.items()}
    return [text for i in range(count) for text in watch.look(start + i, named)]


def test_a_saturated_discriminator_is_named_once_and_only_when_it_stays_so():
    watch = Watch(steps=1000, probabilistic=True)
    assert looks(watch, 9, start=100, d_real=0.999, d_fake=0.001) == []
    begun = looks(watch, 5, start=109, d_real=0.999, d_fake=0.001)
    assert len(begun) == 1
    assert begun[0].startswith("discriminator_saturated: ")
    assert watch.named == [f"step 109: {begun[0]}"]


def test_an_untrained_generator_is_no_trouble():
    watch = Watch(steps=1000, probabilistic=True)
    assert looks(watch, 99, d_real=1.0, d_fake=0.0) == []
    assert len(looks(watch, 1, start=100, d_real=1.0, d_fake=0.0)) == 1


def test_what_is_said_of_saturation_is_true_of_the_loss():
    said = {}
    for loss in (Minimax(), NonSaturating(), MaximumLikelihood()):
        watch = Watch(1000, True, partial(diagnostics.generator_gradient_vanishes, loss))
        (said[type(loss)],) = looks(watch, 10, start=100, d_real=0.999, d_fake=0.001)
    assert "the gradient of this generator loss vanishes; use loss=nonsaturating" in said[Minimax]
    assert "keeps its gradient" in said[NonSaturating]
    assert "vanishes" in said[MaximumLikelihood]


def test_a_loss_that_reads_more_than_logits_is_not_said_to_vanish():
    class Reads(Minimax):
        def generator(self, fake, real=None):
            return super().generator(fake) + real.features[0].mean()

    assert not diagnostics.generator_gradient_vanishes(Reads())


def test_it_is_named_again_when_it_begins_again():
    watch = Watch(steps=1000, probabilistic=True)
    looks(watch, 10, start=100, d_real=0.999, d_fake=0.001)
    looks(watch, 10, start=110, d_real=0.6, d_fake=0.4)
    assert len(looks(watch, 12, start=120, d_real=0.999, d_fake=0.001)) == 1
    assert len(watch.named) == 2


@pytest.mark.parametrize("figures", [{"d_real": 0.98, "d_fake": 0.02}, {"d_real": 0.999, "d_fake": 0.2}])
def test_a_discriminator_that_is_merely_ahead_is_healthy(figures):
    assert looks(Watch(steps=1000, probabilistic=True), 100, **figures) == []


def test_a_critic_cannot_saturate():
    assert looks(Watch(steps=1000, probabilistic=False), 100, d_real=1.0, d_fake=0.0) == []


def test_samples_that_are_all_alike_are_named_but_not_at_the_start():
    watch = Watch(steps=4000, probabilistic=True)
    assert watch.look(999, {"health/diversity": 0.05}) == []
    assert watch.look(1000, {"health/diversity": 0.05})[0].startswith("diversity_collapsed: ")
    assert watch.look(2000, {"health/diversity": 0.9}) == []
    short = Watch(steps=400, probabilistic=True)
    assert short.look(299, {"health/diversity": 0.05}) == []  # no generator can have learnt anything yet
    assert short.look(300, {"health/diversity": 0.05}) != []
    assert Watch(steps=10, probabilistic=True).look(10, {"health/diversity": float("nan")}) == []


def test_diversity_is_the_mean_distance_of_pairs():
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert diversity(corners.reshape(4, 1, 1, 2)) == pytest.approx((4 * 1 + 2 * math.sqrt(2)) / 6)
    assert diversity(torch.ones(5, 3)) == 0.0


def test_a_network_that_no_gradient_reaches_is_named_once():
    watch = Watch(steps=100, probabilistic=True)
    assert watch.look(1, {}, [("generator", "encoder")])[0].startswith(
        "no_gradient: no gradient reaches networks.encoder"
    )
    assert watch.look(2, {}, [("generator", "encoder")]) == []
    assert watch.look(3, {}, []) == []
    assert len(watch.named) == 1
