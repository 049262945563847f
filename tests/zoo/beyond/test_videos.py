"""Videos: tracks, streams, latents of frames, singular values, rankings, poses, flows and diagrams."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gan_framework.api import Batch, Comparison, DataShape, FeatureSet, Latent, Pair, PairedSamples
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_zoo.datasets.image_sequences import FLOW, Diagrams, NextFrame, StickFigures, diagrams, warped
from gan_zoo.datasets.videos import Videos, reflected, tracks
from gan_zoo.metrics.diagrams import DiagramAccuracy
from gan_zoo.metrics.videos import VideoMotion, centres, track_error
from gan_zoo.stick_figures import drawn, joint_maps, poses
from gan_zoo.systems.context_rnn_gan import ContextDiscriminator, ContextGenerator, ImageFeatures
from gan_zoo.systems.md_gan import VideoUNet, gram, gram_distance, ranking
from gan_zoo.systems.mocogan import CategorySaid, ContentAndMotion, MotionContent, one_frame
from gan_zoo.systems.pose_gan import PoseVAE
from gan_zoo.systems.tgan import Clipping, TemporalGenerator, clip_singular_values
from gan_zoo.systems.vgan_video import SmallMask, TwoStreams, composed
from tests.zoo.encoders.common import count, on_meta

CPU = torch.device("cpu")


def test_a_track_is_reflected():
    place = reflected(5 + 3 * torch.arange(8.0), 20)
    assert place.tolist() == [5, 8, 11, 14, 17, 20, 17, 14]
    start, velocity = torch.tensor([[5.0, 0.0]]), torch.tensor([[3.0, 0.0]])
    assert tracks(start, velocity, 8, 20)[0, :, 0].tolist() == place.tolist()


def test_an_even_track_has_no_error_and_noise_has():
    data = Videos(8, 32, 8, 3.0, True, 40, None, None).load("train")
    places, area = centres(data.samples)
    assert track_error(places).mean() < 0.5 and (area.amin(1) > 0).all()
    shuffled = places[:, torch.randperm(8)]
    assert track_error(shuffled).mean() > 3 * track_error(places).mean()
    assert data.read_extra([0])["source"].shape == (1, 1, 32, 32)


@pytest.mark.parametrize("known", [True, False])
def test_motion_of_floating_point_videos_is_that_of_8_bits(known):
    videos = Videos(8, 32, 8, 3.0, True, 40, None, None).load("train").samples
    videos[0, 0, 0, 0, :2] = torch.tensor([0, 255], dtype=torch.uint8)

    def scores(samples, shape):
        side = FeatureSet(samples, None, None, lambda indices: samples[indices])
        return VideoMotion().scores(SimpleNamespace(generated=side, real=side, shape=shape))

    values = DataShape((8, 1, 32, 32), value_range=(-3.0, 3.0) if known else (-math.inf, math.inf))
    found = scores(videos.double() / 42.5 - 3, values)
    assert found == scores(videos, DataShape((8, 1, 32, 32))) and found["position_error"] < 1


# -- VGAN ------------------------------------------------------------------------------------------


def test_streams_are_composed_by_the_mask():
    m, f, b = (torch.tensor(value, dtype=torch.float64) for value in (0.25, 0.8, -0.4))
    assert composed(m, f, b).item() == pytest.approx(-0.1)
    generator = TwoStreams(5, [8, 3, 16, 16], 4).eval()
    made = generator.everything(torch.randn(2, 5))
    assert made["samples"].shape == (2, 8, 3, 16, 16) and made["mask"].shape == (2, 8, 1, 16, 16)
    with torch.no_grad():
        generator.mask[0].weight.zero_()
        generator.mask[0].bias.fill_(-100)
    still = generator(torch.randn(2, 5))
    assert (still[:, 1:] == still[:, :1]).all()


def test_a_foreground_and_a_mask_are_as_large_as_the_papers():
    network = on_meta(TwoStreams, 100, [32, 3, 64, 64], 64)
    assert count(network.stream, network.foreground, network.mask) == 12_667_716


def test_the_mask_is_paid_for_its_mean():
    mask = torch.rand(2, 3, 1, 4, 4, requires_grad=True)
    pair = Pair(None, Batch(mask), Latent(torch.zeros(2, 0)), mask, made={"mask": mask})
    loss = SmallMask()(pair, None)
    torch.testing.assert_close(loss, mask.mean())


# -- TGAN ------------------------------------------------------------------------------------------


def test_frames_have_latents_of_their_own():
    generator = TemporalGenerator(6, [8, 1, 16, 16], 4, 32).eval()
    z = torch.rand(3, 6) * 2 - 1
    assert generator.frame_latents(z).shape == (3, 8, 6) and generator.frame_latents(z).abs().max() <= 1
    assert generator(z).shape == (3, 8, 1, 16, 16)
    torch.testing.assert_close(generator(z)[1:2], generator(z[1:2]))
    # Both latents have half of the first maps, and the first 1-D layer sees one step.
    assert generator.slow(z).shape == generator.fast(z).shape == (3, 4, 4, 4)
    assert [layer.kernel_size for layer in generator.temporal if isinstance(layer, nn.ConvTranspose1d)][0] == (1,)


def test_clipping_leaves_what_is_within_and_brings_the_rest_to_one():
    small, large = nn.Linear(4, 3), nn.Conv2d(2, 3, 3)
    with torch.no_grad():
        small.weight.copy_(0.1 * torch.eye(3, 4))
        large.weight.mul_(20)
    norm = nn.BatchNorm2d(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([5.0, 0.0]))
        norm.running_var.copy_(torch.tensor([4.0, 1.0]))
    before = small.weight.clone()
    clip_singular_values(nn.Sequential(small, large, norm))
    assert torch.equal(small.weight, before)
    assert torch.linalg.matrix_norm(large.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-5)
    assert norm.weight.tolist() == pytest.approx([2.0, 0.01], abs=1e-4)


def test_clipping_waits_for_its_turn():
    layer = nn.Linear(2, 2)
    clipping = Clipping([layer], 2)
    with torch.no_grad():
        layer.weight.copy_(3 * torch.eye(2))
    clipping()
    assert layer.weight[0, 0] == 3
    clipping()
    assert layer.weight[0, 0].item() == pytest.approx(1) and int(clipping.count) == 2


# -- MoCoGAN ---------------------------------------------------------------------------------------


def test_a_generator_of_content_and_motion_is_as_large_as_the_papers():
    assert count(on_meta(MotionContent, [16, 3, 64, 64], 50, 6, 10, 64)) == 3_298_836


def test_the_first_frames_do_not_depend_on_later_noise():
    prior = ContentAndMotion(5, 3, 4, 6)
    latent = prior.draw(2, CPU, torch.Generator().manual_seed(0))
    generator = MotionContent([6, 1, 16, 16], 5, 3, 4, 4).eval()
    later = latent.z.clone()
    later[:, -8:] += 1  # the noise of the last two frames
    a, b = generator(latent.z), generator(later)
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert not torch.allclose(a[:, 4:], b[:, 4:])
    assert (latent.z[:, 5:8].argmax(1) == latent.code["category"]).all()
    varied = prior.vary(latent, "category")
    assert len(varied) == 3 and all((one.z[:, 5:8].argmax(1) == i).all() for i, one in enumerate(varied))
    assert all(
        torch.equal(one.z[:, :5], latent.z[:, :5]) and torch.equal(one.z[:, 8:], latent.z[:, 8:]) for one in varied
    )
    assert one_frame(a).shape == (2, 1, 16, 16)


def test_categories_are_read_of_real_labels_and_of_codes():
    logits = torch.randn(3, 4, dtype=torch.float64)
    said = type("Said", (), {"heads": {"category": logits}})()
    pair = Pair(
        None,
        Batch(torch.zeros(3, 1), torch.tensor([0, 1, 2])),
        Latent(torch.zeros(3, 0), code={"category": torch.tensor([3, 3, 0])}),
        logits,
    )
    pair.__dict__ |= {"real_output": said, "fake_output": said}
    cross = nn.functional.cross_entropy
    torch.testing.assert_close(CategorySaid(True)(pair, None), cross(logits.float(), torch.tensor([0, 1, 2])))
    torch.testing.assert_close(CategorySaid(False)(pair, None), cross(logits.float(), torch.tensor([3, 3, 0])))


# -- MD-GAN ----------------------------------------------------------------------------------------


def test_ranking_of_known_distances():
    near, far = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (0.3, 0.9))
    loss = ranking(near, far)
    assert loss.item() == pytest.approx(0.4374880, abs=1e-7)
    pull, push = torch.autograd.grad(loss, (near, far))
    assert pull.item() == pytest.approx(1 / (1 + math.exp(0.6))) and push.item() == -pull.item()


def test_gram_matrices_forget_where():
    x = torch.randn(2, 3, 4, 5, 5, dtype=torch.float64)
    moved = x.flatten(2)[:, :, torch.randperm(100)].view_as(x)
    torch.testing.assert_close(gram(x), gram(moved))
    assert gram_distance((x,), (moved,)).max() < 1e-12 and gram_distance((x,), (2 * x,)).min() > 0.1


@pytest.mark.parametrize("skips", [True, False])
def test_a_u_net_makes_videos_of_images_and_of_videos(skips):
    network = VideoUNet([5, 1, 16, 24], 2, 4, 2, skips)
    for source in (torch.randn(2, 2, 16, 24), torch.randn(2, 5, 2, 16, 24)):
        assert network(torch.zeros(2, 0), None, {"source": source}).shape == (2, 5, 1, 16, 24)


# -- poses, flows, diagrams ------------------------------------------------------------------------


def test_figures_are_drawn_where_their_joints_are():
    joints = poses(4, 6, torch.Generator().manual_seed(0))
    images, maps = drawn(joints, 32), joint_maps(joints, 32)
    assert images.shape == (4, 6, 32, 32) and maps.shape == (4, 6, 8, 32, 32)
    row, column = ((joints[..., axis] + 1) / 2 * 32 - 0.5 for axis in (0, 1))
    peak = maps.flatten(3).argmax(3)
    inside = (row > 0) & (row < 31) & (column > 0) & (column < 31)
    assert ((peak // 32 - row).abs()[inside] <= 0.51).all() and ((peak % 32 - column).abs()[inside] <= 0.51).all()
    at = images.flatten(2).gather(2, peak[..., :1])
    assert at.mean() > 0.9
    data = StickFigures(5, 16, 3, None, None).load("train")
    assert data.samples.shape == (3, 5, 1, 16, 16) and data.extra["past"].shape == (3, 5, 16)


def test_poses_follow_on_the_last_one():
    network = PoseVAE(4, 8, 3)
    past = torch.randn(2, 4, 16)
    with torch.no_grad():
        network.change.weight.zero_()
        network.change.bias.zero_()
    made = network(past, torch.randn(2, 3))["poses"]
    torch.testing.assert_close(made, past[:, -1:].expand(-1, 4, -1))
    assert network(past, None, past)["mean"].shape == (2, 3)


def test_the_true_flow_leads_to_the_next_frame():
    data = NextFrame(32, 8, 4.0, 20, 1, None).load("train")
    last, flow = data.extra["source"][:, 1:].double(), data.extra["flow"].double()
    moved = warped(last, flow)
    there = (flow != 0).any(1)
    assert (moved[:, 0] - data.samples[:, 0]).abs()[there].max() < 1e-6
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)
    shifted = warped(ramp, torch.tensor([0.0, 1 / FLOW]).view(1, 2, 1, 1).expand(1, 2, 6, 6))
    torch.testing.assert_close(shifted[0, 0, 0, 1:], torch.arange(5.0))


def test_a_sequence_goes_on_by_its_rules():
    seen = diagrams(40, 32, torch.Generator().manual_seed(0))
    assert seen.shape == (40, 6, 32, 32)
    assert ((seen[:, 5] - seen[:, 4]).abs().flatten(1).sum(1) > 0).all()
    data = Diagrams(32, 10, 1, None).load("train")
    assert torch.equal(data.extra["choices"][:, :1], data.samples)
    for made, accuracy in ((data.samples, 1.0), (data.extra["choices"][:, 1:2], 0.0)):
        pairs = [PairedSamples(data.extra["source"], made, data.samples, data.extra)]
        comparison = Comparison(None, None, None, DataShape((1, 32, 32)), False, pairs=lambda pairs=pairs: iter(pairs))
        assert DiagramAccuracy().scores(comparison) == {"diagram_accuracy": accuracy}


def test_a_context_decides_what_is_said_of_an_image():
    judge, maker = ContextDiscriminator(16, 4, 8), ContextGenerator(16, 4, 8)
    x, context = torch.randn(2, 1, 16, 16), torch.randn(2, 5, 16, 16)
    made = maker(torch.zeros(2, 0), None, {"source": context})
    assert made.shape == (2, 1, 16, 16)
    assert not torch.allclose(judge(x, None, context).logits, judge(x, None, context.flip(1)).logits)
    made = maker.everything(torch.zeros(2, 0), None, {"source": context})["each"]
    assert made.shape == (2, 5, 16, 16) and torch.equal(
        made[:, -1:], maker(torch.zeros(2, 0), None, {"source": context})
    )


def test_images_of_a_sequence_are_seen_from_the_start():
    """Of weights N(0, 0.02) without norms features of 0.0002 are left."""
    torch.manual_seed(0)
    images = torch.where(torch.rand(8, 5, 16, 16) < 0.2, 1.0, -1.0)
    assert 0.1 < ImageFeatures(16, 8, 16)(images).flatten(0, 1).std(0).mean() < 2


def test_each_image_of_a_sequence_is_made_and_judged_after_those_before_it(compose):
    """The judge of a step knows the true images before it, and neither a generated one nor what comes later."""
    config = compose("experiment=context_rnn_gan", "debug=smoke", "train.device=cpu", "data.image_size=16")
    sources = Sources(config["data"], config["sources"])
    torch.manual_seed(0)
    game, batch = build_game(config, sources.shape, CPU), sources.batches(4, 0, "cpu")()
    game.start(CPU)
    pair = game.meet(batch)["main"]
    source = batch.extra["source"]
    assert torch.equal(pair.real, torch.cat([source[:, 1:], batch.samples], 1)) and pair.fake.shape == pair.real.shape
    game.generator.eval(), game.discriminator.eval()
    images, judge = torch.cat([source, batch.samples], 1), game.discriminator
    for step in range(5):
        alone = judge(images[:, step + 1 : step + 2], None, images[:, : step + 1]).logits
        assert torch.allclose(judge(pair.real, None, source).logits[:, 0, step], alone[:, 0, 0], atol=1e-6)
        made = game.generator(torch.zeros(4, 0), None, {"source": images[:, : step + 1]})
        each = game.generator.everything(torch.zeros(4, 0), None, {"source": source})["each"]
        assert torch.allclose(each[:, step : step + 1], made, atol=1e-5)
        alone = judge(made, None, images[:, : step + 1]).logits[:, 0, 0]
        assert torch.allclose(judge(each, None, source).logits[:, 0, step], alone, atol=1e-5)
    distance = game.player("generator").evaluate({"main": pair})["distance"]
    assert torch.isclose(distance, 100 * (pair.fake - pair.real).square().mean(), rtol=1e-4)
    single = judge(pair.real, None).logits
    assert torch.allclose(single[:, 0, 2], judge(pair.real[:, 2:3], None).logits[:, 0, 0], atol=1e-6)


@pytest.mark.slow
def test_context_rnn_gan_draws_what_follows_by_its_distance(compose):
    widths = ("networks.generator.width=8", "networks.discriminator.width=8", "game.adversarial_weight=0")
    config = compose("experiment=context_rnn_gan", "metrics=[]", "train.device=cpu", "data.image_size=16", *widths)
    sources = Sources(config["data"], config["sources"])
    torch.manual_seed(0)
    game, batches = build_game(config, sources.shape, CPU), sources.batches(32, 0, "cpu")
    game.start(CPU)
    for _ in range(200):
        game.player("generator").play(game.meet(batches()))
    data = sources.first.load("test")
    extra = data.read_extra(list(range(500)))
    source, choices = (2 * extra[name].float() / 255 - 1 for name in ("source", "choices"))
    game.generator.eval()
    with torch.no_grad():
        made = game.generator(torch.zeros(500, 0), None, {"source": source})
    right = (choices - made).square().mean((2, 3)).argmin(1) == 0
    assert right.double().mean() > 0.35  # by the absolute distance G draws next to nothing: a quarter
