"""IcGAN: a conditional GAN with wrong labels, and its inversion."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, ConfigError, Latent
from gan_zoo.systems.icgan import FindsLatents, IcGANDiscriminator, IcGANEncoder, signs
from tests.zoo.editing.common import batch_of, noise, started

NETWORKS = ("generator", "discriminator", "encoder_z", "encoder_y")
SMALL = ["prior.dim=3", *(f"networks.{name}.width=2" for name in NETWORKS)]
SMALL += [
    "networks.encoder_z.hidden=8",
    "networks.encoder_y.hidden=8",
    "networks.generator.num_classes=4",
    "networks.discriminator.labels=4",
    "networks.encoder_y.outputs=4",
]


def test_d_is_real_and_half_of_each_kind_of_lie(compose):
    game = started(compose, "icgan", *SMALL)
    meeting = game.meet(batch_of([0, 1, 2, 3]), graph=False)
    real, made, wrong = meeting["main"], meeting["made"], meeting["wrong"]
    found = game.player("discriminator").evaluate(meeting)["adversarial"]
    expected = (
        F.softplus(-real.real_output.logits).mean()
        + 0.5 * F.softplus(made.fake_output.logits).mean()
        + 0.5 * F.softplus(wrong.fake_output.logits).mean()
    )
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-12)
    assert torch.equal(wrong.fake, real.real)
    assert torch.equal(made.fake_labels, real.real_labels)


def test_a_wrong_label_is_any_class_but_the_images_own(compose):
    game = started(compose, "icgan", *SMALL)
    batch = batch_of([0, 2, 2, 3])
    drawn = torch.stack([game.wrong_labels(batch, Latent(noise(4))) for _ in range(100)], 1)
    assert [sorted(set(row.tolist())) for row in drawn] == [[1, 2, 3], [0, 1, 3], [0, 1, 3], [0, 1, 2]]
    wrong = game.meet(batch, graph=False)["wrong"]
    assert not (wrong.fake_labels == batch.labels).any()


def test_of_a_linear_generator_the_encoder_becomes_the_pseudo_inverse():
    torch.manual_seed(0)
    matrix = torch.randn(6, 3, dtype=torch.float64)
    encoder = nn.Linear(6, 3, bias=False).double()
    term = FindsLatents()
    term.attach(type("Game", (), {"network": lambda self, name: encoder})())
    z = torch.randn(50, 3, dtype=torch.float64)
    pair = type("Pair", (), {"fake": z @ matrix.T, "latent": Latent(z)})()
    # What is orthogonal to all images is not seen: from zero no gradient leaves the pseudo-inverse's rows.
    nn.init.zeros_(encoder.weight)
    optimizer = torch.optim.LBFGS(
        encoder.parameters(), max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12
    )

    def closure():
        optimizer.zero_grad()
        loss = term(pair, None)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert (encoder.weight - torch.linalg.pinv(matrix)).abs().max() < 1e-4
    assert (encoder(z @ matrix.T) - z).abs().max() < 1e-4


def test_no_gradient_of_the_encoder_reaches_the_generator(compose):
    game = started(compose, "icgan", *SMALL)
    losses = game.player("encoder_z").evaluate(game.meet(batch_of([0, 1, 2, 3])))
    assert [*losses] == ["latents"]
    found = torch.autograd.grad(losses["latents"], [*game.generator.parameters()], allow_unused=True)
    assert not any(g is not None for g in found)


def test_labels_are_signs_and_are_found_on_real_images(compose):
    assert signs(torch.tensor([2]), 3, torch.float64).tolist() == [[-1, -1, 1]]
    assert signs(torch.tensor([[1.0, -1.0]]), 2, torch.float64).tolist() == [[1, -1]]
    game = started(compose, "icgan", *SMALL)
    batch = batch_of([0, 1, 2, 3])
    found = game.player("encoder_y").evaluate(game.meet(batch))["labels"]
    expected = (game.network("encoder_y")(batch.samples) - (2 * torch.eye(4).double() - 1)).square().mean()
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-12)


def test_an_edit_keeps_the_code_and_changes_the_label(compose):
    game = started(compose, "icgan", *SMALL)
    x, labels = noise(4), torch.tensor([3, 3, 3, 3])
    made = game.sample(Latent(torch.zeros(4, 3).double(), labels, given={SAMPLES: x}))
    game.network("encoder_z").eval(), game.generator.eval()
    expected = game.generator(game.network("encoder_z")(x), labels)
    assert torch.allclose(made, expected.detach().float(), atol=1e-6)


def test_sizes_of_the_papers_networks():
    with torch.device("meta"):
        encoder, judge = IcGANEncoder(64, 3, 32, 4096, 100), IcGANDiscriminator(18, 64, 3, 64)
        assert encoder(torch.zeros(2, 3, 64, 64)).shape == (2, 100)
        assert judge(torch.zeros(2, 3, 64, 64), torch.zeros(2, 18)).logits.shape == (2,)
    convolutions = 25 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + 2 * 480
    assert sum(p.numel() for p in encoder.parameters()) == convolutions + 4096 * 4096 + 2 * 4096 + 4097 * 100
    assert judge.blocks[0][0].weight.shape == (128, 64 + 18, 4, 4)


def test_what_does_not_fit_is_named(compose):
    with pytest.raises(ConfigError, match=r"networks.encoder_z makes 5 numbers of an image, and prior.dim is 3"):
        started(compose, "icgan", *SMALL, "networks.encoder_z.outputs=5")
    with pytest.raises(ConfigError, match="mismatched=2.0: it must lie between 0 and 1"):
        started(compose, "icgan", *SMALL, "game.mismatched=2.0")
