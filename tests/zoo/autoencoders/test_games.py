import functools

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_framework.evaluation.fitting import check_generates
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.inversion_error import InversionError
from gan_zoo.metrics.kid import KID

SHAPE = DataShape((1, 8, 8), 10)


@pytest.fixture(scope="module")
def game(compose):
    composed = functools.cache(compose)

    def built(*overrides, shape=SHAPE):
        return build_game(composed(*overrides, "data.image_size=8", "debug=smoke"), shape, torch.device("cpu"))

    return built


@pytest.fixture
def batch():
    """Eight images of a bright row each."""
    images = torch.full((8, 1, 8, 8), -1.0)
    images[torch.arange(8), 0, torch.arange(8)] = 1.0
    return Batch(images, torch.arange(8))


def train(game, batch, steps):
    torch.manual_seed(0)
    measured = [game.step(lambda: batch) for _ in range(steps)]
    return measured[0], measured[-1]


@pytest.mark.parametrize("experiment", ["autoencoder", "autoencoder_conv_unpool", "denoising_autoencoder"])
def test_it_learns_to_reconstruct(game, batch, experiment):
    played = game(f"experiment={experiment}", "optimizer.autoencoder.lr=0.01")
    first, last = train(played, batch, 60)
    assert last["autoencoder/reconstruction"] < 0.5 * first["autoencoder/reconstruction"]
    assert played.player("autoencoder").updates == 60


def test_one_step_takes_one_batch_and_moves_once(game, batch):
    played = game("experiment=autoencoder")
    drawn = []
    played.step(lambda: drawn.append(batch) or batch)
    assert len(drawn) == 1
    assert played.player("autoencoder").updates == 1


def test_noise_is_on_the_input_and_the_target_is_clean(game, batch):
    played = game("experiment=denoising_autoencoder", "game.noise=0.5")
    seen = []
    played.networks["autoencoder"].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    torch.manual_seed(0)
    pair = played.meet(batch)["main"]
    assert torch.equal(pair.real, batch.samples)
    (noisy,) = seen
    assert noisy.min() >= -1 and noisy.max() <= 1
    assert not torch.equal(noisy, batch.samples)
    plain = game("experiment=autoencoder")
    assert plain.corrupt(batch.samples) is batch.samples


def test_the_noise_has_its_deviation_where_nothing_is_cut_off(game):
    played = game("experiment=denoising_autoencoder", "game.noise=0.1")
    grey = torch.zeros(200, 1, 8, 8)
    assert (played.corrupt(grey) - grey).std().item() == pytest.approx(0.1, rel=0.05)


def test_negative_noise_is_refused(game):
    with pytest.raises(ConfigError, match="noise=-1"):
        game("experiment=denoising_autoencoder", "game.noise=-1")


def test_the_picture_shows_originals_above_reconstructions(game, batch):
    played = game("experiment=autoencoder")
    played.networks["autoencoder"].forward = lambda x: -x
    played.reference.watching(lambda: batch)()
    picture = played.picture(played.latent(4), columns=4)
    assert torch.equal(picture, picture[:1].expand(3, -1, -1))
    pixels = picture[0].numpy().astype(int)
    # Eight images in blocks of four: two blocks of two rows, ten pixels an image with its border.
    assert pixels.shape == (4 * 10 + 2, 4 * 10 + 2)

    def image(row, column):
        return pixels[2 + 10 * row : 10 + 10 * row, 2 + 10 * column : 10 + 10 * column]

    for i in range(8):
        row, column = 2 * (i // 4), i % 4
        expected = ((batch.samples[i, 0] + 1) * 127.5).numpy().astype(int)
        assert (image(row, column) == expected).all()
        assert (image(row + 1, column) == 255 - expected).all()


def test_the_picture_of_the_denoiser_shows_the_noisy_images_too(game, batch):
    played = game("experiment=denoising_autoencoder")
    played.reference.watching(lambda: batch)()
    first, second = (played.picture(played.latent(4), columns=4) for _ in range(2))
    assert first.shape[1:] == (62, 42) and first.dtype == torch.uint8
    assert torch.equal(first, second)


def test_an_autoencoder_has_nothing_to_sample_from(game):
    played = game("experiment=autoencoder")
    assert not played.generates
    with pytest.raises(ConfigError, match="AutoEncoder makes samples of samples, and none are given"):
        played.sample(latents.fixed_latent(played, 4, 0))
    with pytest.raises(
        ConfigError, match="^metrics.fid scores generated samples, and AutoEncoder makes none: set metrics"
    ):
        check_generates(played, {"fid": FID()})


def test_what_is_found_in_real_samples_can_be_scored_where_none_are_generated(game):
    played, reconstructing = game("experiment=autoencoder"), {"inversion_error": InversionError()}
    check_generates(played, reconstructing)
    with pytest.raises(
        ConfigError, match="^metrics.kid and metrics.fid score .*none: set metrics=\\[inversion_error\\]$"
    ):
        check_generates(played, {"kid": KID(3, 20), **reconstructing, "fid": FID()})


def test_the_vae_learns_and_its_bound_is_the_sum_of_its_terms(game, batch):
    played = game("experiment=vae", "optimizer.vae.lr=0.01", "networks.generator.hidden=[64]")
    first, last = train(played, batch, 100)
    assert set(last) == {"vae/reconstruction", "vae/kl_divergence"}
    assert sum(last.values()) < 0.5 * sum(first.values())
    assert last["vae/kl_divergence"] > 1  # the codes say something
    samples = played.sample(latents.fixed_latent(played, 16, 0))
    assert samples.shape == (16, 1, 8, 8)
    assert samples.abs().max() <= 1


def test_the_decoder_makes_the_samples(game):
    played = game("experiment=vae")
    latent = latents.fixed_latent(played, 3, 0)
    torch.testing.assert_close(played.sample(latent), played.networks["generator"](latent.z).detach())


def test_the_gan_starts_from_the_vae(game, batch):
    played = game("experiment=vae_gan_start", "game.vae_steps=3")
    generator = {name: p.detach().clone() for name, p in played.generator.named_parameters()}
    discriminator = {name: p.detach().clone() for name, p in played.discriminator.named_parameters()}
    for _ in range(3):
        assert set(played.step(lambda: batch)) == {"vae/reconstruction", "vae/kl_divergence"}
    assert all(torch.equal(p, discriminator[name]) for name, p in played.discriminator.named_parameters())
    assert any(not torch.equal(p, generator[name]) for name, p in played.generator.named_parameters())
    decoder = {name: p.detach().clone() for name, p in played.generator.named_parameters()}
    encoder = {name: p.detach().clone() for name, p in played.networks["encoder"].named_parameters()}

    seen = []
    played.generator.register_forward_hook(lambda module, inputs, output: seen.append(decoder_is(module, decoder)))
    measured = played.step(lambda: batch)
    assert seen[0]  # the game's first samples are the decoder's
    assert {"discriminator/adversarial", "generator/adversarial"} < set(measured)
    assert {name: played.player(name).updates for name in played.players} == {
        "discriminator": 1,
        "generator": 1,
        "vae": 3,
    }
    assert all(torch.equal(p, encoder[name]) for name, p in played.networks["encoder"].named_parameters())


def test_the_gates_of_the_game_that_follows_leave_the_vae_alone(game, batch):
    played = game("experiment=vae_gan_start", "game.vae_steps=1", "strategy=[loss_gated]")
    for _ in range(3):
        played.step(lambda: batch)
    assert played.player("vae").updates == 1


def test_the_average_follows_the_decoder_from_the_first_step(game, batch):
    averaged = ("strategy=[ema]", "strategy.ema.decay=0.5", "strategy.ema.bounded=false")
    played = game("experiment=vae_gan_start", "game.vae_steps=2", *averaged)
    average = [p.detach().clone() for p in played.generator.parameters()]
    for _ in range(3):  # two of the VAE, one of the game
        played.step(lambda: batch)
        average = [torch.lerp(a, p.detach(), 0.5) for a, p in zip(average, played.generator.parameters(), strict=True)]
    torch.testing.assert_close([*played.networks["generator_ema"].parameters()], average)


def test_a_learning_rate_that_would_not_fall_is_refused(game):
    with pytest.raises(ConfigError, match="the player 'vae' has none beside them; choose among discriminator"):
        game("experiment=vae_gan_start", "strategy=[lr_decay]", "strategy.lr_decay.players=[vae]")


def test_a_divergence_of_codes_needs_an_encoder(game):
    own = ["prior=normal", "+term@terms.kl_divergence=kl_divergence", "terms.kl_divergence.player=generator"]
    with pytest.raises(ConfigError, match="Game has no encoder"):
        game("model=mlp", *own)


def decoder_is(module, expected):
    return all(torch.equal(p, expected[name]) for name, p in module.named_parameters())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["model=mlp", "game=vae", "prior=normal", "loss=null"],
            "networks.encoder is missing, and the game VAE needs it",
        ),
        (["experiment=vae", "networks.encoder.outputs=[20,21]"], "the networks do not fit the data"),
        (["experiment=vae", "prior=uniform", "prior.dim=20"], "standard normal prior, not to Uniform"),
        (
            ["experiment=vae", "networks.generator.image_size=4"],
            r"makes samples \(1, 4, 4\), but the data are \(1, 8, 8\)",
        ),
        (["experiment=vae_gan_start", "game.vae_steps=0"], "vae_steps=0"),
        (["experiment=vae", "loss=hinge"], "game=vae has .* nobody in it minimises Hinge: set loss=null"),
        (
            ["experiment=autoencoder", "loss=hinge"],
            "game=autoencoder has .* nobody in it minimises Hinge: set loss=null",
        ),
        (["experiment=autoencoder_conv_unpool", "networks.autoencoder.image_size=6"], "multiple of 4"),
    ],
)
def test_what_does_not_fit_is_refused(game, overrides, message):
    with pytest.raises(ConfigError, match=message):
        game(*overrides)
