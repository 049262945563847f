"""SL-GAN: images made and changed by attributes."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from tests.zoo.described.playing import FEW, NARROW, as_asked, played

SMALL = ["experiment=sl_gan", *FEW, *NARROW, "networks.encoder.width=4", "prior.dim=7", "networks.encoder.dim=5"]
SMALL += ["networks.encoder.hidden=2", "networks.generator.latent_dim=5", "networks.generator.given_dim=14"]


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target.expand_as(logits).to(logits.dtype))


def test_both_sides_pay_by_the_formula(compose):
    game, batch = played(compose, *SMALL)
    meeting = game.meet(batch)
    x, y, other = batch.samples, batch.extra["attributes"], batch.extra["attributes"].roll(1, 0)
    d, e, g = (game.network(name) for name in ("discriminator", "encoder", "generator"))
    made, edited, again = (meeting[name].fake for name in ("made", "edited", "reconstructed"))
    z = meeting["made"].latent.z
    h = (z[:, :2] > 0).double()
    named, hidden, code = e(x).split([12, 2, 5], 1)

    def makes(y, h, z):
        return g(z, None, {"described": torch.cat([y, h], 1)})

    torch.testing.assert_close(made, makes(y, h, z[:, 2:]))
    torch.testing.assert_close(edited, makes(other, hidden.sigmoid(), code))
    torch.testing.assert_close(again, makes(named.sigmoid(), hidden.sigmoid(), code))
    one, nought = torch.ones(1), torch.zeros(1)
    of_d = bce(d(x).logits, one) + bce(d(made).logits, nought) + bce(d(edited).logits, nought)
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), of_d + bce(d(x).heads["attributes"], y))
    of_g = bce(d(made).logits, one) + bce(d(edited).logits, one)
    of_g = of_g + bce(d(made).heads["attributes"], y) + bce(d(edited).heads["attributes"], other)
    of_g = of_g + bce(named, y) + bce(e(made)[:, 12:14], h) + (x - again).abs().mean()
    torch.testing.assert_close(as_asked(game, "generator", meeting), of_g)


def test_what_is_asked_for_is_read_when_samples_are_made_and_never_in_training(compose):
    game, batch = played(compose, *SMALL)
    torch.manual_seed(0)
    before = [as_asked(game, name, game.meet(batch)) for name in game.players]
    game.networks.eval()
    asked = game.sample(game.latent_for(batch))
    batch.extra["asked"].copy_(batch.extra["attributes"])
    assert not torch.equal(game.sample(game.latent_for(batch)), asked)
    game.networks.train()
    game, batch = played(compose, *SMALL)
    batch.extra["asked"].fill_(9.0)
    torch.manual_seed(0)
    after = [as_asked(game, name, game.meet(batch)) for name in game.players]
    torch.testing.assert_close(before, after)


def test_sampling_leaves_the_encoders_statistics_alone(compose):
    game, batch = played(compose, *SMALL)
    before = {name: value.clone() for name, value in game.network("encoder").named_buffers()}
    game.sample(game.latent_for(batch))
    assert game.network("encoder").training
    assert all(torch.equal(value, before[name]) for name, value in game.network("encoder").named_buffers())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["networks.encoder.attributes=10"], "SLGAN learns 10 'attributes' of samples .* have 12 of them"),
        (["data.extras=[mask]", "data.edit=null"], "have none: choose data=shapes"),
        (["prior.dim=9"], "prior.dim=9: networks.encoder has hidden=2 and dim=5; set prior.dim=7"),
    ],
)
def test_what_does_not_fit_is_refused(compose, overrides, message):
    with pytest.raises(ConfigError, match=message):
        played(compose, *SMALL, *overrides)
