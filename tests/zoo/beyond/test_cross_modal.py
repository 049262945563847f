"""CM-GAN: codes of two kinds in one space."""

import torch
from torch.nn import functional as F

from gan_framework.build import build_game
from gan_framework.data import Sources

CPU = torch.device("cpu")


def test_codes_of_either_kind_are_to_be_taken_for_the_others(compose):
    config = compose("experiment=cm_gan", "debug=smoke", "train.device=cpu", "game.reconstruction=0", "game.classes=0")
    sources = Sources(config["data"], config["sources"])
    torch.manual_seed(0)
    game, batch = build_game(config, sources.shape, CPU), sources.batches(8, 0, "cpu")()
    game.start(CPU)
    meeting = game.meet(batch)
    losses = game.player("generator").evaluate(meeting)
    codes = game.codes(batch.samples, batch.extra["text"])
    says = game.network("discriminator_common")
    of_images, of_texts = (says(code).logits for code in codes)
    torch.testing.assert_close(losses["adversarial_common"], F.softplus(-of_texts).mean())
    torch.testing.assert_close(losses["other_way"], F.softplus(of_images).mean())
    reached = torch.autograd.grad(losses["other_way"], [*game.network("encoder_image").parameters()], retain_graph=True)
    assert max(float(gradient.abs().max()) for gradient in reached) > 0
