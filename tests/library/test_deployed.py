"""Generators whose networks lie within others, or draw their own steps, run elsewhere for any number of samples."""

from importlib.util import find_spec

import pytest
import torch

from gan_framework.api import ConfigError
from gan_framework.evaluation import latents
from gan_framework.library import deployed
from gan_framework.library.model import Model
from tests.helpers.runs import make_run

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")

SYSTEMS = {
    "stylegan2": ["networks.generator.base=128", "networks.generator.style_size=16", "networks.discriminator.base=128"],
    "r3gan": ["networks.generator.width=16", "networks.discriminator.width=16"],
    "lapgan": [f"networks.{side}_{level}.width=4" for side in ("generator", "discriminator") for level in (1, 2)],
    "mad_gan": [],
    "rnn_wgan": [],
}


@pytest.fixture
def model(compose, tmp_path):
    def made(name):
        config = compose(f"experiment={name}", "debug=smoke", *SYSTEMS[name])
        return Model(make_run(config, tmp_path / "run").game, config, {}, name)

    return made


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("form", ["onnx", "torchscript"])
def test_they_make_the_model_s_samples(model, name, form, tmp_path):
    if form == "onnx" and not (find_spec("onnx") and find_spec("onnxruntime")):
        pytest.skip("onnx or onnxruntime is not installed: pip install 'gan-framework[onnx]'")
    made = model(name)
    path = tmp_path / form
    getattr(deployed, form)(made, path)
    latent = latents.fixed_latent(made.game, 7, 3)
    if form == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        found = torch.from_numpy(session.run(None, {"z": latent.z.numpy()})[0])
    else:
        found = torch.jit.load(path)(latent.z)
    torch.testing.assert_close(found, made.game.sample(latent), rtol=0, atol=1e-5)


def test_one_whose_number_of_samples_is_fixed_is_refused(model, tmp_path, monkeypatch):
    made = model("mad_gan")
    given = type(made.generator).forward
    monkeypatch.setattr(
        type(made.generator), "forward", lambda self, z, labels=None: given(self, z, labels) + torch.zeros(len(z), 1)
    )
    with pytest.raises(ConfigError, match="makes 2 samples and fails with 5, as the number of samples is fixed"):
        deployed.torchscript(made, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_one_whose_samples_other_networks_finish_is_refused(model, tmp_path, monkeypatch):
    made = model("mad_gan")
    monkeypatch.setattr(made.game, "sample", lambda latent: torch.zeros(len(latent.z), 3, 8, 8))
    with pytest.raises(ConfigError, match=r"alone makes \(2,\), and the model's samples are \(3, 8, 8\)"):
        deployed.torchscript(made, tmp_path / "x")
