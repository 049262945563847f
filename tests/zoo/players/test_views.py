"""APE-GAN's attack and defence, MV-BiGAN's views."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.systems.ape_gan import SmallClassifier, attack
from gan_zoo.systems.mv_bigan import ViewsEncoder, divergence, drawn, quadrants
from tests.zoo.players.playing import DIGITS, batch, built, play

APE = ["experiment=ape_gan", "data.image_size=8", "game.classifier_steps=2"]
APE += [f"networks.{name}.width=2" for name in ("generator", "discriminator", "classifier")]


def classifier():
    torch.manual_seed(0)
    return SmallClassifier(8, 1, 10, 4)


def test_an_attack_raises_the_loss_by_steps_of_epsilon():
    net, one = classifier(), batch(DIGITS, 8)
    x, y = one.samples, one.labels
    assert torch.equal(attack(net, x, y, 0.0), x)
    attacked = attack(net, x, y, 0.05)
    inside = attacked.abs() < 1
    moved = (attacked - x).abs()[inside]
    assert ((moved - 0.1).abs() < 1e-5).float().mean() > 0.9 and moved.max() <= 0.1 + 1e-5
    assert attacked.abs().max() <= 1
    assert F.cross_entropy(net(attacked), y) > F.cross_entropy(net(x), y)
    assert all(p.grad is None for p in net.parameters()) and net.training


def test_the_classifier_is_trained_first_and_stays_as_it_is(compose):
    game = built(compose, DIGITS, *APE)
    counts = []
    for step in range(4):
        play(game, [step])
        counts.append([game.player(name).updates for name in ("classifier", "generator", "discriminator")])
    assert counts == [[1, 0, 0], [2, 0, 0], [2, 1, 1], [2, 2, 2]]
    other = built(compose, DIGITS, *APE, "seed=1")
    other.load_state_dict(game.state_dict())
    assert other.done == 4


def test_the_generator_is_given_attacked_images_and_pays_for_what_differs_from_clean_ones(compose):
    game, one = built(compose, DIGITS, *APE, "game.epsilon=0.1"), batch(DIGITS, 8)
    game.network("generator").eval()
    meeting = game.meet(one)
    attacked = attack(game.network("classifier"), one.samples, one.labels, 0.1)
    pair = meeting["main"]
    torch.testing.assert_close(pair.made["attacked"], attacked)
    torch.testing.assert_close(pair.fake, game.generator.layers(attacked))
    losses = game.player("generator").evaluate(meeting)
    expected = 2.3333 * (one.samples - pair.fake).square().mean()
    torch.testing.assert_close(losses["restoration"], expected)
    picture = game.picture(game.latent_for(one), 4)
    assert picture.shape == (3, 6 * 10 + 2, 4 * 10 + 2)
    with pytest.raises(ConfigError, match="have no classes"):
        built(compose, DataShape((1, 8, 8)), *APE, "networks.classifier.num_classes=2")


# -- MV-BiGAN --------------------------------------------------------------------------------------


def test_quadrants_that_are_missing_are_blank():
    x = torch.ones(1, 1, 5, 6)
    seen = quadrants(x, torch.tensor([[True, False, False, True]]))[0, 0]
    assert (seen[:3, :3] == 1).all() and (seen[3:, 3:] == 1).all()
    assert seen.sum() == 9 + 6
    assert quadrants(x, torch.zeros(1, 4, dtype=torch.bool)).abs().sum() == 0


def test_views_are_summed_whatever_their_order_and_without_any_it_is_learned():
    torch.manual_seed(0)
    net, x = ViewsEncoder(7, 1, 3, 5), torch.randn(2, 1, 7, 7)
    none, everything = torch.zeros(2, 4), torch.ones(2, 4)
    assert torch.equal(net(x, none), net(torch.randn_like(x), none))
    torch.testing.assert_close(net(x, none)[0], net.together(torch.zeros(5)))
    one = torch.tensor([[1.0, 0, 0, 0]]).expand(2, 4)
    changed = x.clone()
    changed[..., 4:] = 9  # the right half
    assert torch.equal(net(x, one), net(changed, one)) and not torch.equal(net(x, everything), net(changed, everything))
    corners = F.pad(x, [0, 1, 0, 1])
    views = [corners[:, :, i : i + 4, j : j + 4].flatten(1) for i in (0, 4) for j in (0, 4)]
    said = sum(of(view) for of, view in reversed([*zip(net.of_view, views, strict=True)]))
    torch.testing.assert_close(net(x, everything), net.together(said))


def test_the_divergence_is_that_of_normals():
    p, q = torch.randn(4, 6, dtype=torch.float64), torch.randn(4, 6, dtype=torch.float64)
    one, other = (torch.distributions.Normal(x[:, :3], (x[:, 3:] / 2).exp()) for x in (p, q))
    expected = torch.distributions.kl_divergence(one, other).sum(1).float()
    torch.testing.assert_close(divergence(p, q), expected)
    assert divergence(p, p).abs().max() < 1e-6
    torch.manual_seed(0)
    many = drawn(torch.tensor([[1.0, -2.0]]).expand(20000, 2))
    assert many.mean().item() == pytest.approx(1, abs=0.02)
    assert many.std().item() == pytest.approx(2.718281828**-1, rel=0.03)


MV = ["experiment=mv_bigan", "data.image_size=8", "prior.dim=3", "networks.views.hidden=6"]
MV += [f"networks.{name}.hidden=[6]" for name in ("generator", "discriminator", "discriminator_views", "encoder")]


def test_both_judges_see_samples_with_latents_and_the_makers_exchange_them(compose):
    game, one = built(compose, DIGITS, *MV), batch(DIGITS, 8)
    meeting = game.meet(one)
    main, views = meeting["main"], meeting["views"]
    assert main.judge.name == "discriminator" and views.judge.name == "discriminator_views"
    assert torch.equal(main.real_given[0], views.real_given[0])
    assert torch.equal(views.real, views.fake) and not torch.equal(views.real, one.samples)
    softplus = F.softplus
    losses = game.player("generator").evaluate(meeting)
    for name, pair in meeting.items():
        expected = softplus(pair.real_output.logits).mean() + softplus(-pair.fake_output.logits).mean()
        torch.testing.assert_close(losses[f"adversarial_{name}"], expected)
    torch.testing.assert_close(losses["narrowing"], 0.01 * divergence(views.made["more"], views.made["fewer"]).mean())
    measured = play(game, range(2))
    assert all(torch.isfinite(value).all() for value in measured[-1].values())
    assert all(p.grad is not None for p in game.network("views").parameters())


def test_an_image_is_completed_from_its_views(compose):
    game, one = built(compose, DIGITS, *MV), batch(DIGITS, 8)
    present = torch.tensor([[True, False, True, False]]).expand(8, 4)
    torch.manual_seed(0)
    first = game.complete(one.samples, present)
    torch.manual_seed(0)
    changed = one.samples.clone()
    changed[..., 4:] = 0
    assert first.shape == (8, 1, 8, 8) and torch.equal(first, game.complete(changed, present))
    with pytest.raises(ConfigError, match="views out of images"):
        built(compose, DataShape((2,)), "data=mixture", "game=mv_bigan", "model=plane")
