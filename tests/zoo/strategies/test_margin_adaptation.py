"""A margin that follows the energy of real samples down."""

import copy

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.energy_margin import EnergyMargin
from gan_zoo.strategies.margin_adaptation import adapted
from tests.helpers.independent import Critic, double_precision, finite_differences, image_game, images  # noqa: F401 (a fixture is among them)


def adaptation(epoch_steps=2, epochs=1):
    settings = {"epochs": epochs, "epoch_steps": epoch_steps, "batch_size": 5}
    return registry.build("strategies", {"name": "margin_adaptation", **settings})


def game(margin=None, **settings):
    made = image_game(EnergyMargin(margin), start=False)
    adaptation(**settings).apply(made)
    made.start(torch.device("cpu"))
    return made


@pytest.mark.parametrize(
    ("real", "fake", "before", "margin"),
    [(0.8, 0.9, 0.7, 0.8), (0.7, 0.6, 0.7, 1.0), (1.2, 1.5, 0.7, 1.0), (0.7, 0.9, 1.0, 1.0), (0.8, 0.9, 0.9, 0.8)],
)
def test_the_rule(real, fake, before, margin):
    found = adapted(*map(torch.tensor, (1.0, real, fake, before)))
    assert found.item() == margin


def test_the_discriminator_learns_alone_and_its_mean_energy_is_the_first_margin():
    made = game(epochs=3)
    generator = copy.deepcopy(made.generator.state_dict())
    seen = []
    adam = made.player("discriminator")

    def draw():
        seen.append(images(seed=len(seen)))
        return seen[-1]

    made.openings[0](made, draw)
    assert len(seen) == 3 * 2 + 2 and adam.updates == 6 and made.player("generator").updates == 0
    assert all(torch.equal(value, generator[name]) for name, value in made.generator.state_dict().items())
    energies = [-made.discriminator(batch.samples).logits.mean().item() for batch in seen[-2:]]
    assert made.loss.level.item() == pytest.approx(np.mean(energies))
    assert adam.objective == "discriminator"


def test_its_steps_alone_are_gradient_steps_on_the_energy_of_real_samples():
    made = game(margin=2.0, epochs=1, epoch_steps=1)
    critic, x = Critic(made), images().samples.numpy()
    slope = finite_differences(lambda p: -critic.score(p, x).mean(), critic.values)
    made.openings[0](made, images)
    np.testing.assert_allclose(Critic(made).values, critic.values - 0.1 * slope, atol=1e-9)
    assert made.loss.level.item() == 2.0  # the margin that was set


def test_the_margin_follows_the_mean_energies_of_an_epoch():
    made = game(margin=50.0, epoch_steps=3, epochs=0)
    made.openings[0](made, images)
    made.player("generator").optimizer.param_groups[0]["lr"] = 0.0  # so that its samples' energy rises
    levels, before = [made.loss.level.item()], 0.0
    for _ in range(4):
        energies = {"real": [], "fake": []}
        for step in range(3):
            meeting = made.meet(images(seed=step))
            told = meeting.detached()
            made.player("discriminator").play(told)
            energies["real"].append(-told["main"].real_output.logits.mean().item())
            made.player("generator").play(meeting)
            energies["fake"].append(-meeting["main"].fake_output.logits.mean().item())
        real, fake = np.mean(energies["real"]), np.mean(energies["fake"])
        falls = real < levels[-1] and real < fake and before <= fake
        levels.append(real if falls else levels[-1])
        before = fake
        assert made.loss.level.item() == pytest.approx(levels[-1])
        assert made.loss.fake_before.item() == pytest.approx(fake)
        assert made.loss.counts == {"real": 0, "fake": 0}
    assert len(set(levels)) > 1


def test_the_loss_with_an_adaptive_margin_is_that_of_its_level():
    made = game(margin=0.7, epochs=0)
    made.openings[0](made, images)
    pair = made.meet(images())["main"]
    plain = EnergyMargin(0.7)
    assert made.loss.discriminator(*pair.outputs).item() == pytest.approx(plain.discriminator(*pair.outputs).item())
    assert made.loss.figures()["margin"].item() == 0.7


def test_no_margin_without_what_finds_it():
    with pytest.raises(ConfigError, match=r"loss\.margin=null"):
        image_game(EnergyMargin(None))


def test_a_loss_without_a_margin_is_refused():
    with pytest.raises(ConfigError, match=r"margin_adaptation has no effect on NonSaturating.*loss=energy_margin"):
        adaptation().apply(image_game(start=False))


def test_an_epoch_of_unknown_length_is_refused():
    with pytest.raises(ConfigError, match=r"strategy\.margin_adaptation\.epoch_steps=null"):
        adaptation(epoch_steps=None).apply(image_game(EnergyMargin(None), start=False))


def test_an_epoch_has_as_many_steps_as_the_data_have_batches():
    made = image_game(EnergyMargin(None), start=False)
    made.data = made.data._replace(size=23)
    adaptation(epoch_steps=None).apply(made)
    assert made.loss.epoch_steps == 4
