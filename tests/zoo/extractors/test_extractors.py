from urllib.error import URLError

import pytest
import torch
from torch import nn

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.evaluation.extractor import computing_in, fingerprint, to_rgb
from gan_zoo.extractors.clip import CLIP
from gan_zoo.extractors.dinov2 import DINOv2
from gan_zoo.extractors.inception import Inception, enlarged
from gan_zoo.extractors.inception_torchvision import InceptionTorchvision
from gan_zoo.extractors.pretrained import resized
from gan_zoo.extractors.raw import Raw

CPU = torch.device("cpu")
GREY = torch.randint(0, 256, (2, 1, 16, 16), dtype=torch.uint8)


def test_raw_leaves_vectors_as_they_are_and_brings_pixels_to_the_frameworks_range():
    raw = Raw()
    raw.check(DataShape((3,)))
    vectors = torch.randn(5, 3)
    assert torch.equal(raw(vectors).features, vectors)
    assert raw.dim == 3
    raw.check(DataShape((1, 16, 16)))
    assert raw.dim == 256
    assert torch.equal(raw(GREY).features, GREY.flatten(1) / 127.5 - 1)


def test_grey_images_become_what_pillow_makes_of_them():
    import numpy as np
    from PIL import Image

    theirs = np.stack([np.asarray(Image.fromarray(image[0].numpy()).convert("RGB")) for image in GREY])
    assert np.array_equal(to_rgb(GREY).permute(0, 2, 3, 1).numpy(), theirs)


def test_other_channel_counts_are_refused():
    with pytest.raises(ConfigError, match="not 4.*classifier"):
        to_rgb(torch.zeros(1, 4, 8, 8))


def test_the_fingerprint_depends_on_every_value():
    weights = {"a": torch.zeros(3), "b": torch.tensor(1)}
    assert fingerprint(weights) == fingerprint(dict(reversed(weights.items())))
    for other in ({**weights, "a": torch.tensor([0, 0, 1e-7])}, {**weights, "c": torch.zeros(0)}, {"a": weights["a"]}):
        assert fingerprint(other) != fingerprint(weights)


def test_precision_is_the_extractors_own_and_the_runs_is_restored():
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16), computing_in("fp32", CPU):
            assert not torch.backends.cuda.matmul.allow_tf32
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_inception_torchvision_is_the_network_after_its_own_preprocessing(tmp_path):
    from torchvision.models import inception_v3
    from torchvision.transforms.functional import normalize

    torch.manual_seed(0)
    network = inception_v3(weights=None, init_weights=False, transform_input=True).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    extractor = InceptionTorchvision(str(tmp_path / "weights.pth"), "fp32")
    extractor.prepare(None, CPU, None)
    features, logits = extractor.eval()(GREY)

    images = nn.functional.interpolate(to_rgb(GREY) / 255, size=(299, 299), mode="bilinear", antialias=True)
    images = normalize(images, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    pooled = []
    network.avgpool.register_forward_hook(lambda module, inputs, output: pooled.append(output.flatten(1)))
    with torch.no_grad():
        expected = network(images)
    assert (features - pooled[0]).norm() < 1e-4 * pooled[0].norm()
    assert (logits - expected).norm() < 1e-4 * expected.norm()
    assert extractor.fingerprint() == fingerprint(network.state_dict())


@pytest.mark.parametrize("size", [(12, 20), (40, 30), (224, 224)])
def test_the_bicubic_resize_is_pillows(size):
    import numpy as np
    from PIL import Image
    from torchvision import transforms as TF

    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 24, 24), dtype=torch.uint8, generator=random)
    found = resized(images, size)
    shown = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]
    theirs = [TF.Resize(size, TF.InterpolationMode.BICUBIC)(image) for image in shown]  # dgm-eval's transform
    assert torch.equal(found, torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in theirs]))
    assert resized(images, (24, 24)) is images


@pytest.mark.parametrize("resize", ["bicubic", "tensorflow", None])
def test_dinov2_sees_images_as_its_resize_says(monkeypatch, resize):
    """What reaches the network is undone to grey levels, and compared with the resize of that name."""
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    seen = []

    class Model(nn.Module):
        def forward(self, images):
            seen.append(images)
            return images.mean((2, 3))

    monkeypatch.setattr(torch.hub, "load", lambda *what: Model())
    extractor = DINOv2("vit-s-14", "fp32", resize)
    extractor.prepare(None, CPU, None)
    images = GREY.expand(-1, 3, -1, -1)
    extractor(images)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    levels = 255 * (seen[0] * std + mean)
    if resize == "bicubic":
        expected = resized(images, (224, 224)).float()
        assert "bicubic, antialiased as by Pillow, to 224x224" == extractor.resize
    else:
        expected = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(224, 224), align_corners=False)
        assert "bilinear as in TensorFlow 1, to 224x224" == extractor.resize
    assert (levels - expected).abs().max() < 1e-3


def test_dinov2_gets_rgb_images_of_its_size(monkeypatch):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 384)

        def forward(self, images):
            assert images.shape == (2, 3, 224, 224)
            return self.head(images.mean((2, 3)))

    model = Model()
    asked = []
    monkeypatch.setattr(torch.hub, "load", lambda *what: asked.append(what) or model)
    extractor = DINOv2("vit-s-14", "fp32")
    extractor.prepare(None, CPU, None)
    blank = torch.full((2, 1, 16, 16), 51, dtype=torch.uint8)
    features = extractor(blank).features
    normalised = (0.2 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(features, model.head(normalised[None]).expand(2, -1), atol=1e-5)
    assert asked == [("facebookresearch/dinov2", "dinov2_vits14")]
    assert features.shape[1] == extractor.dim


class Tensors(nn.Module):
    """Holds tensors under dotted names, as a TorchScript archive of CLIP does."""

    def __init__(self, tensors):
        super().__init__()
        for name in {name.partition(".")[0] for name in tensors}:
            inner = {key.partition(".")[2]: value for key, value in tensors.items() if key.partition(".")[0] == name}
            if "" in inner:
                self.register_buffer(name, inner[""])
            else:
                self.add_module(name, Tensors(inner))

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::FutureWarning")
def test_clip_reads_an_archive_of_weights(tmp_path):
    from torch_fidelity.feature_extractor_clip import CLIPVisual

    torch.manual_seed(0)
    network = CLIPVisual(12, 32, 2, 64, 16)
    weights = {**network.state_dict(), "text_projection": torch.zeros(5, 12)}
    torch.jit.save(torch.jit.script(Tensors(weights)), tmp_path / "clip.pt")
    extractor = CLIP("vit-b-32", str(tmp_path / "clip.pt"), "fp32")
    extractor.prepare(None, CPU, None)
    features = extractor(GREY).features
    assert features.shape == (2, 12)
    assert extractor.dim == 12
    assert features.isfinite().all()
    assert not torch.allclose(features[0], features[1])

    published = CLIP("vit-b-32", str(tmp_path / "clip.pt"), "fp32", "bicubic")
    published.prepare(None, CPU, None)
    at_size = resized(GREY.expand(-1, 3, -1, -1), (32, 32))  # which neither way of resizing changes any more
    assert torch.allclose(published(GREY).features, extractor(at_size).features, atol=1e-5)
    assert not torch.allclose(published(GREY).features, features, atol=1e-3)


UNREACHABLE = [
    (lambda: Inception(None, "fp32"), ["github.com/toshas", "checkpoints", "extractor.weights"]),
    (lambda: InceptionTorchvision(None, "fp32"), ["download.pytorch.org", "checkpoints", "extractor.weights"]),
    (lambda: DINOv2("vit-s-14", "fp32"), ["facebookresearch/dinov2", "dinov2_vits14_pretrain.pth", "torch.hub.load"]),
    (lambda: CLIP("rn50", None, "fp32"), ["openaipublic", "clip-rn50-", "extractor.weights"]),
]


@pytest.mark.parametrize(("build", "said"), UNREACHABLE, ids=["inception", "torchvision", "dinov2", "clip"])
def test_a_machine_that_cannot_download_is_told_what_to_do(build, said, tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", unreachable)
    with pytest.raises(RunFailed) as failure:
        build().prepare(None, CPU, None)
    for part in [*said, "extractor=classifier", "extractor=raw"]:
        assert part in str(failure.value)


@pytest.mark.parametrize("build", [Inception, InceptionTorchvision], ids=["inception", "torchvision"])
def test_a_file_of_something_else_is_named(build, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="other.pth is not a file of such weights"):
        build(str(tmp_path / "other.pth"), "fp32").prepare(None, CPU, None)


class Payload:
    def __reduce__(self):
        return (print, ("the file ran code",))


def test_a_weights_file_runs_no_code(tmp_path, capsys):
    torch.save(Payload(), tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match="not a file of such weights"):
        Inception(str(tmp_path / "weights.pth"), "fp32").prepare(None, CPU, None)
    assert "ran code" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Inception("/nowhere.pth", "fp32"), "extractor.weights=/nowhere.pth"),
        (lambda: DINOv2("vit-x", "fp32"), "extractor.model=vit-x.*vit-s-14"),
        (lambda: DINOv2("vit-s-14", "fp32", "lanczos"), "extractor.resize=lanczos.*bicubic, tensorflow"),
        (lambda: CLIP("vit-x", None, "fp32"), "extractor.model=vit-x.*vit-b-32"),
    ],
)
def test_wrong_settings_name_the_setting(build, said):
    with pytest.raises(ConfigError, match=said):
        build()


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (32, 32), (101, 67), (128, 128)])
def test_small_images_are_enlarged_as_tensorflow_does(size):
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    images = torch.randint(256, (2, 3, *size), generator=torch.Generator().manual_seed(0)).float()
    wanted = interpolate_bilinear_2d_like_tensorflow1x(images, size=(299, 299), align_corners=False)
    assert (enlarged(images) - wanted).abs().max() <= 1e-4
