"""VariGAN: other views of given images."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.systems.mv_bigan import divergence
from gan_zoo.systems.varigan import turned, view_of
from tests.zoo.players.playing import DIGITS, batch, built, play

SMALL = ["experiment=varigan", "data.image_size=8", "prior.dim=3"]
SMALL += [f"networks.{name}.hidden=6" for name in ("generator_coarse", "encoder")]
SMALL += [f"networks.{name}.width=2" for name in ("generator", "discriminator")]


def test_views_are_quarters_that_latents_ask_for():
    x = torch.arange(4.0).view(1, 1, 2, 2).expand(4, 1, 2, 2)
    found = turned(x, torch.arange(4)).flatten(1).tolist()
    assert found == [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1]]
    z = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    assert (view_of(z).bincount(minlength=4) / 4000 - 0.25).abs().max() < 0.03


def test_a_view_is_judged_beside_its_image_and_a_wrong_one_is_refused(compose):
    game, one = built(compose, DIGITS, *SMALL), batch(DIGITS, 8)
    meeting = game.meet(one)
    main, wrong = meeting["main"], meeting["wrong"]
    target = turned(one.samples, view_of(main.latent.z))
    assert torch.equal(main.real, target) and torch.equal(wrong.fake, target)
    assert torch.equal(main.real_given[0], one.samples) and torch.equal(main.fake_given[0], one.samples)
    assert torch.equal(wrong.fake_given[0], one.samples.roll(1, dims=0))
    losses = game.player("discriminator").evaluate(meeting)
    softplus = F.softplus
    plain = softplus(-main.real_output.logits).mean() + softplus(main.fake_output.logits).mean()
    torch.testing.assert_close(losses["adversarial_main"], plain)
    torch.testing.assert_close(losses["adversarial_wrong"], softplus(wrong.fake_output.logits).mean())


def test_what_makes_images_pays_for_both_sizes_and_for_the_latents(compose):
    game, one = built(compose, DIGITS, *SMALL), batch(DIGITS, 8)
    pair = (meeting := game.meet(one))["main"]
    losses = game.player("generator").evaluate(meeting)
    assert pair.made["coarse"].shape == (8, 1, 4, 4) and pair.fake.shape == (8, 1, 8, 8)
    torch.testing.assert_close(losses["fine"], 10 * (pair.real - pair.fake).abs().mean())
    coarse = (F.avg_pool2d(pair.real, 2) - pair.made["coarse"]).abs().mean()
    torch.testing.assert_close(losses["coarse"], 10 * coarse)
    code = pair.made["code"]
    torch.testing.assert_close(losses["latents"], 0.01 * divergence(code, torch.zeros_like(code)).mean())
    play(game, range(2))
    for name in ("generator", "generator_coarse", "encoder"):
        assert all(p.grad is not None for p in game.network(name).parameters()), name


def test_samples_are_views_of_what_is_given(compose):
    game, one = built(compose, DIGITS, *SMALL), batch(DIGITS, 6)
    latent = game.latent_for(one)
    made = game.sample(latent)
    other = game.sample(latent._replace(z=-latent.z))
    assert made.shape == (6, 1, 8, 8) and not torch.equal(made, other)
    assert game.picture(latent, 3).shape == (3, 6 * 10 + 2, 3 * 10 + 2)
    with pytest.raises(ConfigError, match="a multiple of 8"):
        built(compose, DataShape((1, 12, 12), 10), *SMALL, "data.image_size=12")
