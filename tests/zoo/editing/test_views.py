"""DR-GAN and SD-GAN: identities in several views."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import SAMPLES, ConfigError, DataShape, Latent
from gan_zoo.datasets.digit_views import TOGETHER
from gan_zoo.datasets.edited_digits import IDENTITY
from gan_zoo.systems.dr_gan import DRGANGenerator, fused
from gan_zoo.systems.sd_gan import SiameseDiscriminator
from tests.zoo.editing.common import batch_of, noise, started

NARROW = [f"networks.{name}.width=2" for name in ("generator", "discriminator")]
DR = [
    *NARROW,
    "prior.dim=2",
    "networks.generator.feature_dim=5",
    "networks.discriminator.identities=6",
    *(f"networks.{name}.views=4" for name in ("generator", "discriminator")),
]
VIEWS = DataShape((1, 16, 16), 4, extra={IDENTITY: ()}, integers=(IDENTITY,))
SEVERAL = VIEWS._replace(extra={IDENTITY: (), TOGETHER: (2, 16, 16)})
SD = [*NARROW, "prior.dim=6", "game.identity_dim=4"]


def views(**further):
    return batch_of([0, 1, 2, 3], identity=torch.tensor([5, 0, 2, 2]), **further)


def test_features_of_equal_weight_are_averaged_and_one_of_great_weight_wins():
    features = torch.tensor([[[1.0, 2.0], [3.0, -2.0], [5.0, 3.0]]], dtype=torch.float64)
    equal = fused(features, torch.full((1, 3), 0.3, dtype=torch.float64))
    assert equal[0].tolist() == pytest.approx([3, 1])
    great = fused(features, torch.tensor([[1.0, 1e9, 1.0]], dtype=torch.float64))
    assert great[0].tolist() == pytest.approx([3, -2], abs=1e-6)


def test_of_one_image_the_weight_does_not_matter():
    torch.manual_seed(0)
    generator = DRGANGenerator(16, 1, 2, 4, 2, 5, True).eval()
    with torch.no_grad():
        x = noise(3, double=False)
        assert torch.allclose(generator.feature(x), generator.encoder(x)[:, :-1], atol=1e-6)
        assert torch.allclose(generator.feature(x.repeat(1, 3, 1, 1)), generator.feature(x), atol=1e-6)


def test_d_tells_identities_beside_real_and_made_and_g_is_to_be_taken_for_the_identity_in_the_view(compose):
    game = started(compose, "dr_gan", *DR, shape=VIEWS)
    batch = views()
    pair = game.meet(batch)["main"]
    told = game.player("discriminator").evaluate({"main": pair.detached()})
    made = game.player("generator").evaluate({"main": pair})
    real, fake = pair.real_output.heads, pair.fake_output.heads
    identity, asked = batch.extra[IDENTITY], pair.latent.labels
    said, of_made = pair.real_output.logits, pair.fake_output.logits
    tells = F.softplus(-said).mean() + F.softplus(of_made).mean()
    expected = {
        "real": F.cross_entropy(real[IDENTITY], identity) + F.cross_entropy(real["view"], batch.labels),
        "identity": F.cross_entropy(fake[IDENTITY], identity),
        "view": F.cross_entropy(fake["view"], asked),
    }
    assert sorted(asked.tolist()) == [0, 1, 2, 3] and real[IDENTITY].shape == (4, 6)
    for losses, value in ((told, tells), (made, F.softplus(-of_made).mean())):
        assert float(losses.pop("adversarial").detach()) == pytest.approx(float(value.detach()), abs=1e-9)
    for name, value in (told | made).items():
        assert float(value.detach()) == pytest.approx(float(expected[name].detach()), abs=1e-9), name
    assert told.keys() | made.keys() == expected.keys()


def test_several_images_are_fused_and_the_first_is_used_alone_too(compose):
    game = started(compose, "dr_gan", *DR, "networks.generator.several=true", shape=SEVERAL)
    batch = views(together=noise(4, seed=1, channels=2))
    meeting = game.meet(batch)
    assert meeting.keys() == {"main", "alone"}
    game.generator.eval()
    latent = meeting["main"].latent
    first = game.generator(latent.z, latent.labels, {SAMPLES: batch.samples})
    assert torch.equal(game.pairs(batch, latent)["alone"].fake, first)
    assert not torch.allclose(game.pairs(batch, latent)["main"].fake, first)
    assert game.player("generator").evaluate(meeting).keys() == {
        f"{term}_{pair}" for term in ("adversarial", "identity", "view") for pair in meeting
    }


def test_data_without_identities_are_refused(compose):
    with pytest.raises(ConfigError, match="DRGAN needs the views of images as classes and their extra 'identity'"):
        started(compose, "dr_gan", *DR)
    with pytest.raises(ConfigError, match="SDGAN needs two images of each identity"):
        started(compose, "sd_gan", *SD, shape=VIEWS)
    with pytest.raises(ConfigError, match="game.identity_dim=6: it must lie between 0 and the size of z"):
        started(compose, "sd_gan", *SD, "game.identity_dim=6", shape=SEVERAL)


def test_a_made_pair_shares_its_identity_alone(compose):
    game = started(compose, "sd_gan", *SD, shape=SEVERAL)
    game.networks.eval()
    seen = []
    game.generator.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    batch = views(together=noise(4, seed=1, channels=2))
    pair = game.meet(batch, graph=False)["main"]
    first, second = seen
    assert torch.equal(first[:, :4], second[:, :4]) and not (first[:, 4:] == second[:, 4:]).any()
    assert torch.equal(pair.real, torch.cat([batch.samples, batch.extra[TOGETHER][:, :1]], 1))
    assert torch.equal(pair.fake[:, :1], game.generator(first))
    # Equal z_O give equal images.
    assert torch.equal(game.generator(first), game.generator(first.clone()))
    halved = game.player("discriminator").evaluate({"main": pair})["adversarial"]
    whole = F.softplus(-pair.real_output.logits).mean() + F.softplus(pair.fake_output.logits).mean()
    assert float(halved.detach()) == pytest.approx(float(whole.detach()) / 2, abs=1e-9)


def test_a_judge_that_joins_symmetrically_does_not_mind_the_order():
    torch.manual_seed(0)
    judge = SiameseDiscriminator(16, 1, 2, 2, "none").double()
    a, b = noise(3), noise(3, seed=1)
    apart = [judge(torch.cat(both, 1)).logits.detach() for both in ((a, b), (b, a))]
    assert not torch.allclose(*apart)
    with torch.no_grad():
        weight = judge.joined[0].weight
        weight[:, weight.shape[1] // 2 :] = weight[:, : weight.shape[1] // 2]
    together = [judge(torch.cat(both, 1)).logits.detach() for both in ((a, b), (b, a))]
    assert torch.allclose(*together)


def test_rows_of_a_picture_have_one_identity_and_columns_one_view(compose):
    game = started(compose, "sd_gan", *SD, shape=SEVERAL, double=False)
    z = torch.rand(12, 6)
    picture = game.picture(Latent(z), 4)
    assert picture.shape == (3, 3 * 18 + 2, 4 * 18 + 2)
    expected = game.sample(Latent(torch.cat([z[2:3, :4], z[1:2, 4:]], 1)))
    shade = ((expected[0, 0] + 1) / 2 * 255).round()
    assert (picture[0, 2 * 18 + 2 : 3 * 18, 18 + 2 : 2 * 18].float() - shade).abs().max() <= 1
