"""Waves and spectra: emphasis, files, shuffled phases, and who says what."""

import wave

import pytest
import torch

from gan_framework.api import MAIN, Comparison, ConfigError, DataShape, PairedSamples
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_zoo.datasets.audio import Tones, WavFolder
from gan_zoo.datasets.spectra import Spectra
from gan_zoo.datasets.wave_files import read_wave, write_wave
from gan_zoo.generators.dcgan_nd import DCGANndGenerator
from gan_zoo.metrics.snr_gain import SNRGain
from gan_zoo.systems.segan_speech import WaveUNet
from gan_zoo.systems.vaw_gan import VAWGAN, SpectrumDecoder, SpectrumEncoder
from gan_zoo.systems.wavegan import PhaseShuffle, WaveGANDiscriminator, shifted
from gan_zoo.waves import deemphasised, emphasised, snr
from tests.testing.beyond import SPEAKERS


def test_emphasis_and_its_opposite_are_inverse():
    x = torch.randn(2, 1, 50, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(deemphasised(emphasised(x, 0.95), 0.95), x)
    torch.testing.assert_close(emphasised(deemphasised(x, 0.95), 0.95), x)
    assert torch.autograd.gradcheck(lambda x: emphasised(x, 0.95), x)


def test_signal_to_noise():
    clean = torch.ones(1, 1, 100)
    assert snr(clean, clean + 0.1).item() == pytest.approx(20, abs=1e-4)


def test_a_gain_is_that_of_the_waves_without_emphasis():
    random = torch.Generator().manual_seed(0)
    clean = torch.randn(4, 1, 200, generator=random)
    noisy, made = (clean + share * torch.randn(4, 1, 200, generator=random) for share in (1.0, 0.1))
    pairs = [PairedSamples(*(emphasised(x, 0.9) for x in (noisy, made, clean)), {})]
    comparison = Comparison(None, None, None, DataShape((1, 200)), False, pairs=lambda: iter(pairs))
    found = SNRGain(0.9).scores(comparison)
    expected = (snr(clean, made) - snr(clean, noisy)).mean().item()
    assert found["snr_gain"] == pytest.approx(expected, abs=1e-3) and found["snr_gain"] == pytest.approx(20, abs=1)


@pytest.mark.parametrize("snr_wanted", [0.0, 10.0])
def test_tones_have_as_much_noise_as_they_say(snr_wanted):
    data = Tones(1024, 4000, (snr_wanted, snr_wanted), 0.0, 50, None).load("train")
    assert snr(data.samples, data.extra["source"]).mean().item() == pytest.approx(snr_wanted, abs=0.2)
    assert data.samples.abs().amax(2).min() > 0.49


def test_files_are_cut_into_pieces_and_written_as_they_were(tmp_path):
    ramp = torch.linspace(-0.9, 0.9, 300)[None]
    write_wave(tmp_path / "clean" / "a.wav", ramp, 8000)
    write_wave(tmp_path / "clean" / "b.wav", ramp[:, :90], 8000)
    write_wave(tmp_path / "noisy" / "a.wav", 0.5 * ramp, 8000)
    write_wave(tmp_path / "noisy" / "b.wav", 0.5 * ramp[:, :90], 8000)
    found, rate = read_wave(tmp_path / "clean" / "a.wav")
    assert rate == 8000
    torch.testing.assert_close(found, ramp[0], atol=1e-4, rtol=0)
    source = WavFolder(tmp_path / "clean", tmp_path / "noisy", 0.0, 100, None, 0.0, None)
    data = source.load("train")
    assert source.found == {"rate": 8000} and data.samples.shape == (4, 1, 100)  # three of a, one of b with silence
    torch.testing.assert_close(data.extra["source"], 0.5 * data.samples, atol=2e-4, rtol=0)
    settings = {"rate": 8000, "emphasis": 0.0}
    files = WavFolder.write(tmp_path / "sample.png", data.samples, settings)
    assert [file.name for file in files] == [f"{i:06d}.wav" for i in range(4)] and files[0].parent.name == "sample_wav"
    torch.testing.assert_close(read_wave(files[1])[0], data.samples[1, 0], atol=1e-4, rtol=0)


def test_files_that_do_not_fit_are_refused_by_name(tmp_path):
    write_wave(tmp_path / "a.wav", torch.zeros(1, 100), 8000)
    write_wave(tmp_path / "b.wav", torch.zeros(1, 100), 4000)
    with pytest.raises(ConfigError, match="b.wav has 4000 Hz"):
        WavFolder(tmp_path, None, 0.0, 64, None, 0.0, None).load("train")
    (tmp_path / "b.wav").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="b.wav is no WAV file"):
        WavFolder(tmp_path, None, 0.0, 64, None, 0.0, None).load("train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no .wav files"):
        WavFolder(tmp_path / "empty", None, 0.0, 64, None, 0.0, None)


# -- WaveGAN ---------------------------------------------------------------------------------------


def test_a_wave_of_16_384_values_begins_as_1024_channels_of_16():
    with torch.device("meta"):
        generator = DCGANndGenerator(100, [1, 16384], 64, 25, 4, 16, "none", "tanh", False)
    assert generator.layers[1].weight.shape == (100, 1024, 16)
    assert generator(torch.empty(1, 100, device="meta")).shape == (1, 1, 16384)


def test_phases_are_shifted_and_mirrored():
    x = torch.arange(5.0).view(1, 1, 5)
    assert shifted(x, torch.tensor([[2]])).flatten().tolist() == [2, 1, 0, 1, 2]
    assert shifted(x, torch.tensor([[-2]])).flatten().tolist() == [2, 3, 4, 3, 2]
    many = x.expand(200, -1, -1)
    found = {tuple(row) for row in PhaseShuffle(2)(many).flatten(1).tolist()}
    assert len(found) == 5
    assert torch.equal(PhaseShuffle(2).eval()(many), many)
    assert WaveGANDiscriminator([1, 256], 4, 2)(torch.randn(3, 1, 256)).logits.shape == (3,)


# -- SEGAN -----------------------------------------------------------------------------------------


def test_a_u_net_of_waves_is_given_noise_and_noisy_waves():
    network = WaveUNet(8 * 16, [1, 64], [4, 8], 31)
    source = torch.randn(2, 1, 64)
    a, b = (network(torch.randn(2, 128), None, {"source": source}) for _ in range(2))
    assert a.shape == (2, 1, 64) and a.abs().max() <= 1 and not torch.allclose(a, b)
    with pytest.raises(ValueError, match=r"set prior\.dim=128"):
        WaveUNet(100, [1, 64], [4, 8], 31)


# -- VAW-GAN ---------------------------------------------------------------------------------------


def test_speakers_differ_and_content_stays():
    data = Spectra(128, 40, None, None).load("train")
    truth = data.read_truth(range(40))
    assert (data.samples - truth).square().mean().sqrt() > 0.1
    again = Spectra(128, 40, None, None).load("train")
    assert torch.equal(again.samples, data.samples) and data.labels.tolist()[:4] == [0, 1, 0, 1]
    low, high = data.samples[data.labels == 0], data.samples[data.labels == 1]
    assert low[..., -20:].mean() < high[..., -20:].mean() - 0.3


def test_a_decoder_is_told_the_speaker():
    encoder, decoder = SpectrumEncoder([1, 128], 4, 6), SpectrumDecoder(6, 2, 5, [1, 128], 4)
    code = encoder(torch.randn(3, 1, 128))[:, :6]
    one, other = (decoder(code, torch.full((3,), speaker)) for speaker in (0, 1))
    assert one.shape == (3, 1, 128) and not torch.allclose(one, other)


def test_a_weight_that_others_are_divided_by_is_above_0():
    with pytest.raises(ValueError, match="adversarial=0: it must be positive"):
        VAWGAN(None, 0, 0)


def test_the_critic_of_voices_teaches_the_decoder_alone_and_that_after_a_while(compose):
    config = compose(*SPEAKERS, "train.device=cpu", "metrics=[]", "game.vae_steps=3")
    sources = Sources(config["data"], config["sources"])
    game, batch = build_game(config, sources.shape, torch.device("cpu")), sources.batches(4, 0, "cpu")()
    player = game.player("generator")
    for updates, weight in ((2, 0), (3, 1)):
        player.updates = updates
        pair = game.meet(batch)[MAIN]
        expected = -weight * pair.fake_output.logits.mean().item()
        said = sum(player.adversarial({MAIN: pair}).values())
        assert float(torch.as_tensor(said).detach()) == pytest.approx(expected, abs=1e-6)
    encoder, decoder = (list(game.network(name).parameters()) for name in ("encoder", "generator"))
    assert all(g is None for g in torch.autograd.grad(said, encoder, retain_graph=True, allow_unused=True))
    assert any(g is not None and g.any() for g in torch.autograd.grad(said, decoder, allow_unused=True))


@pytest.mark.parametrize(("width", "tolerance"), [(1, 0.01), (2, 1e-4), (3, 1e-6), (4, 1e-6)])
def test_files_of_any_width_are_read(width, tolerance, tmp_path):
    values = torch.tensor([0.0, 0.5, -0.5, -1.0, 0.25], dtype=torch.float64)
    numbers = [round(value * 2 ** (8 * width - 1)) + (128 if width == 1 else 0) for value in values.tolist()]
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(b"".join(number.to_bytes(width, "little", signed=width > 1) for number in numbers))
    torch.testing.assert_close(read_wave(tmp_path / "a.wav")[0], values.float(), atol=tolerance, rtol=0)
