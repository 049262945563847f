"""IAN: the encoder's head leaves the discriminator's layers alone, and three kinds are told."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.systems.ian import KINDS, kind_loss
from tests.zoo.encoders.common import changed, images, small

SMALL = [
    "prior.dim=3",
    "networks.generator.width=2",
    "networks.discriminator.width=2",
    "networks.discriminator.kernels=6",
    "networks.encoder.inputs=32",
    "networks.encoder.hidden=8",
]


@pytest.fixture(scope="module")
def game(compose):
    return small(compose, "ian", *SMALL)


def test_each_player_updates_its_own_and_the_head_no_layer_of_the_discriminator(game):
    for player in ("discriminator", "generator", "encoder"):
        assert changed(game, lambda: game.player(player).play(game.meet(images()))) == {player}  # noqa: B023


def test_the_head_moves_beside_both_on_batches_of_its_own(game):
    before = {name: game.player(name).updates for name in game.players}
    drawn = []
    game.step(lambda: drawn.append(1) or images())
    moved = {name: game.player(name).updates - before[name] for name in game.players}
    assert moved == {"discriminator": 1, "generator": 1, "encoder": 2}
    assert len(drawn) == 2


def test_what_the_players_pay(game):
    game.networks.eval()
    meeting = game.meet(images())
    main, decoded = meeting["main"], meeting["reconstruction"]
    kinds = [game.discriminator(x).heads[KINDS] for x in (main.real, decoded.fake, main.fake)]

    def entropy(logits, kind):
        return F.cross_entropy(logits, torch.full((8,), kind))

    told = sum(game.player("discriminator").evaluate(meeting.detached()).values())
    torch.testing.assert_close(told, sum(entropy(logits, kind) for kind, logits in enumerate(kinds)))
    layers = [game.discriminator(x).features for x in (decoded.real, decoded.fake)]
    error = 6 * (decoded.real - decoded.fake).abs().mean()
    error = error + sum((a - b).square().mean() for a, b in zip(*layers, strict=True)) / len(layers[0])
    paid = sum(game.player("generator").evaluate(meeting).values())
    torch.testing.assert_close(paid, error + entropy(kinds[1], 0) + entropy(kinds[2], 0))
    mean, log_variance = decoded.latent.code["mean"], decoded.latent.code["log_variance"]
    kl = 0.5 * (log_variance.exp() - 1 - log_variance + mean.square()).sum(1).mean()
    torch.testing.assert_close(sum(game.player("encoder").evaluate(meeting).values()), error + 0.01 * kl)
    torch.testing.assert_close(
        main.real_output.logits.sigmoid(), kinds[0].softmax(1)[:, 0]
    )  # the score is the log-odds of real
    game.networks.train()


def test_kinds_are_told_by_how_close_the_batch_is_too(game):
    """The same image among others of another kind is told otherwise."""
    game.networks.eval()
    x = images().samples
    alike = torch.cat([x[:1], x[:1].expand(7, -1, -1, -1)])
    among, alone = (game.discriminator(batch).heads[KINDS][0] for batch in (x, alike))
    assert not torch.allclose(among, alone)
    game.networks.train()


def test_codes_of_a_batch_begin_with_the_priors_mean_and_deviation(compose):
    """Batch norm sees to it, and so the divergence is small from the first step."""
    code = small(compose, "ian", *SMALL).encode(images().samples).code
    torch.testing.assert_close(code["mean"].mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(code["mean"].var(0, correction=0), torch.ones(3), atol=0.05, rtol=0)
    torch.testing.assert_close(code["log_variance"].mean(0), torch.zeros(3), atol=1e-5, rtol=0)


def test_at_chance_three_kinds_cost_three_logs_of_three():
    said = DiscriminatorOutput(torch.zeros(4), heads={KINDS: torch.zeros(4, 3)})
    assert sum(kind_loss(said, kind) for kind in range(3)).item() == pytest.approx(3 * math.log(3))


def test_another_discriminator_is_refused(compose):
    with pytest.raises(ConfigError, match="game=ian needs discriminator=ian"):
        other = ["discriminator=dcgan", "networks.discriminator.name=dcgan", "~networks.discriminator.kernels"]
        small(compose, "ian", *SMALL, *other)
