import pytest
import torch
from torch import nn

from gan_framework.core.game import Components, Game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.cgan_mlp import CGANMLPDiscriminator
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.generators.cgan_mlp import CGANMLPGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.priors.normal import Normal
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from gan_zoo.strategies.train_with_labels import TrainWithLabels


def make(conditional_g=True, conditional_d=False, classes=3):
    torch.manual_seed(0)
    g = (
        CGANMLPGenerator(4, 3, 4, 1, [8], "relu", "tanh", "he")
        if conditional_g
        else MLPGenerator(4, 4, 1, [8], "tanh", "tanh", 0.1, 0.0)
    )
    d = (
        CGANMLPDiscriminator(3, 4, 1, [8], "relu", "he", "symmetric")
        if conditional_d
        else MLPDiscriminator(4, 1, [8], "tanh", 0.5, 0.0, "symmetric")
    )

    def adam(parameters):
        return torch.optim.Adam(parameters, lr=0.01, betas=(0.5, 0.99))

    return Game(
        Components(
            DataShape((1, 4, 4), classes),
            {"generator": g, "discriminator": d},
            Alternating(1, 1, share_fakes=True),
            Normal(4),
            NonSaturating(),
            dict.fromkeys(("generator", "discriminator"), adam),
        )
    )


def batch(n=6):
    g = torch.Generator().manual_seed(3)
    return Batch(torch.rand(n, 1, 4, 4, generator=g) * 2 - 1, torch.arange(n) % 3)


def cross_entropy(logits, labels):
    logits = logits.double()
    return -sum(logits[i, label] - logits[i].exp().sum().log() for i, label in enumerate(labels)).item() / len(labels)


def test_both_players_minimise_the_class_errors_that_the_paper_gives_them():
    game = make()
    TrainWithLabels(weight=0.5).apply(game)
    game.start(torch.device("cpu"))
    meeting = game.meet(batch())
    pair = meeting["main"]
    real = cross_entropy(pair.real_output.heads["class"], pair.batch.labels)
    fake = cross_entropy(pair.fake_output.heads["class"], pair.latent.labels)

    of_d = game.player("discriminator").evaluate(meeting)["auxiliary_classification"]
    of_g = game.player("generator").evaluate(meeting)["auxiliary_classification"]
    assert of_d.item() == pytest.approx(0.5 * (real + fake), rel=1e-5)
    assert of_g.item() == pytest.approx(0.5 * fake, rel=1e-5)


def test_the_discriminator_moves_its_head():
    game = make()
    TrainWithLabels(weight=1.0).apply(game)
    game.start(torch.device("cpu"))
    before = game.discriminator.heads["class"].weight.detach().clone()
    game.player("discriminator").play(game.meet(batch()).detached())
    assert not torch.equal(before, game.discriminator.heads["class"].weight)


def test_a_generator_without_labels_is_given_them():
    game = make(conditional_g=False)
    assert not game.conditional
    TrainWithLabels(weight=1.0).apply(game)
    game.start(torch.device("cpu"))
    assert game.conditional
    z = torch.randn(1, 4).expand(3, -1)
    made = game.generator(z, torch.arange(3))
    assert (torch.pdist(made.flatten(1)) > 0).all()
    inner, embedding = game.generator.generator, game.generator.embedding.weight
    torch.testing.assert_close(made[1], inner(z[1:2] + embedding[1])[0])

    before = embedding.detach().clone()
    game.player("generator").play(game.meet(batch()))
    assert not torch.equal(before, embedding)


def test_a_game_with_labels_learns_to_tell_and_to_make_classes():
    """Class k is a bright row k: after training, the samples asked for have it there."""
    game = make(conditional_g=False)
    TrainWithLabels(weight=3.0).apply(game)
    game.start(torch.device("cpu"))
    labels = torch.arange(60) % 3
    images = torch.full((60, 1, 4, 4), -0.5)
    images[torch.arange(60), 0, labels] = 0.5
    for _ in range(200):
        game.step(lambda: Batch(images + 0.3 * torch.randn_like(images), labels))
    asked = torch.arange(300) % 3
    brightest = game.sample(game.latent(300, asked)).mean(3)[:, 0, :3].argmax(1)
    assert (brightest == asked).float().mean() > 0.9
    told = game.discriminator(images).heads["class"].argmax(1)
    assert (told == labels).float().mean() > 0.9


def test_what_leaves_it_without_effect_is_refused_by_name():
    with pytest.raises(ConfigError, match="train_with_labels .* CGANMLPDiscriminator"):
        TrainWithLabels(1.0).apply(make(conditional_d=True))
    with pytest.raises(ConfigError, match="train_with_labels needs data with classes"):
        TrainWithLabels(1.0).apply(make(conditional_g=False, classes=0))
    with pytest.raises(ValueError, match="weight=0"):
        TrainWithLabels(0)


def test_the_halves_of_a_split_discriminator_each_take_their_samples():
    game = make()
    SplitDiscriminator().apply(game)
    TrainWithLabels(1.0).apply(game)
    game.start(torch.device("cpu"))
    meeting = game.meet(batch())
    pair = meeting["main"]
    for half, labels in (("real", pair.batch.labels), ("fake", pair.latent.labels)):
        found = game.player(f"discriminator_{half}").evaluate(meeting)["auxiliary_classification"].item()
        said = getattr(pair, f"{half}_output").heads["class"]
        assert found == pytest.approx(cross_entropy(said, labels), rel=1e-5)


def test_the_term_alone_needs_a_head():
    from gan_zoo.terms.auxiliary_classification import AuxiliaryClassification

    game = make()
    game.player("discriminator").add_term("auxiliary_classification", AuxiliaryClassification())
    with pytest.raises(ConfigError, match="MLPDiscriminator has not: add 'strategy"):
        game.start(torch.device("cpu"))
    game = make()
    game.discriminator.heads["class"] = nn.Linear(8, 3)
    game.player("discriminator").add_term("auxiliary_classification", AuxiliaryClassification())
    game.start(torch.device("cpu"))
