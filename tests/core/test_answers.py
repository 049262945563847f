"""What losses, terms and networks answer is looked at where it comes, and said in words of whose it is."""

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.term import Term
from gan_framework.errors import ConfigError
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.small import Draws, Halves, SmallDiscriminator, SmallGenerator, small_game


def losing(answer):
    class Loss(Halves):
        def generator(self, fake, real=None):
            return answer(fake.logits)

    return Loss()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda logits: logits, r"Loss returns the shape \(\d+,\), not a scalar: take the mean"),
        (lambda logits: None, "Loss returns NoneType, not a tensor of one number"),
        (lambda logits: 0.5, "Loss returns float, not a tensor of one number"),
    ],
)
def test_a_loss_that_is_no_scalar_is_refused_before_the_first_step(answer, said):
    with pytest.raises(ConfigError, match=f"the adversarial loss of the player 'generator', {said}"):
        small_game(losing(answer))


def test_a_loss_that_depends_on_nothing_it_updates_names_the_player():
    game = small_game(losing(lambda logits: logits.detach().mean()))
    with pytest.raises(ConfigError, match="none of the losses adversarial of the player 'generator' depends on what"):
        game.player("generator").play(game.meet(Draws()()))


def test_a_term_that_is_no_scalar_is_named():
    class Vector(Term):
        def forward(self, pair, player):
            return pair.fake_output.logits

    game = small_game(start=False)
    game.player("generator").add_term("mine", Vector())
    game.start(torch.device("cpu"))
    with pytest.raises(ConfigError, match=r"the term 'mine', Vector returns the shape \(\d+,\), not a scalar"):
        game.player("generator").play(game.meet(Draws()()))


def test_a_schedule_that_returns_nothing_is_named():
    class Silent(Alternating):
        def step(self, game, next_batch):
            super().step(game, next_batch)

    game = small_game(schedule=Silent(d_steps=1, g_steps=1, share_fakes=True))
    with pytest.raises(ConfigError, match="the schedule Silent returns NoneType of a step, not a dict"):
        game.step(Draws())


def test_a_generator_that_makes_fewer_samples_than_it_is_asked_for_is_refused(monkeypatch):
    game = small_game(start=False)
    monkeypatch.setattr(SmallGenerator, "forward", lambda self, z, labels=None: self.layer(z[: len(z) // 2]))
    with pytest.raises(ConfigError, match="networks.generator makes 1 samples of 2 latents, not one of each"):
        game.check()


def test_a_discriminator_without_its_last_layer_is_refused():
    game = small_game(start=False)
    del game.networks["discriminator"].output
    with pytest.raises(ConfigError, match="the networks do not fit the data .*no attribute 'output'"):
        game.check()


def test_a_discriminator_that_says_two_numbers_of_a_sample_is_refused():
    game = small_game(start=False)
    assert isinstance(game.networks["discriminator"], SmallDiscriminator)
    game.networks["discriminator"].output = nn.Linear(4, 2)
    with pytest.raises(ConfigError, match=r"networks.discriminator says \(2, 2\) of 2 samples, not one number of each"):
        game.check()
