"""The contracts of generators, discriminators and other networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.core import seeding
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.records import DiscriminatorOutput, Latent
from gan_framework.testing.games import plays_on_exactly
from gan_framework.testing.guards import expect, expect_all_reached, expect_finite, inputs_kept, own_randomness
from gan_framework.testing.subject import BATCH_SIZE, Subject

TOLERANCE = 1e-4


def _generator(subject: Subject, seed: int = 0) -> Generator:
    generator: Generator = subject.build(seed)
    return generator


def _discriminator(subject: Subject, seed: int = 0) -> Discriminator:
    discriminator: Discriminator = subject.build(seed)
    return discriminator


def makes_samples(subject: Subject) -> None:
    """Samples have the data's shape, and images lie in [-1, 1]."""
    latent = subject.latent()
    with own_randomness("forward"), inputs_kept("forward", z=latent.z, labels=latent.labels):
        samples = _generator(subject)(latent.z, latent.labels)
    wanted = (BATCH_SIZE, *subject.shape.sample)
    expect(
        tuple(samples.shape) == wanted,
        f"forward makes samples {tuple(samples.shape)} of {BATCH_SIZE} latents, and data of shape "
        f"{subject.shape.sample} ask for {wanted}: use the settings image_size and channels",
    )
    expect(samples.dtype == torch.float32, f"its samples are {samples.dtype}, not float32")
    expect_finite("what forward makes", samples)
    if samples.ndim == 4:
        # Far from the prior a generator that is not bounded gives itself away.
        far = _generator(subject)(latent.z * 100 if subject.config["prior"] else latent.z, latent.labels)
        low, high = far.min().item(), far.max().item()
        expect(
            low >= -1 - TOLERANCE and high <= 1 + TOLERANCE, f"its images lie in [{low:.3g}, {high:.3g}], not [-1, 1]"
        )


def depends_on_latents(subject: Subject) -> None:
    """Different latents give different samples."""
    generator = _generator(subject).eval()
    first, second = (generator(latent.z, latent.labels) for latent in (subject.latent(seed=0), subject.latent(seed=1)))
    expect(not torch.equal(first, second), "it makes the same samples of different latents")


def samples_alone(subject: Subject) -> None:
    """In evaluation mode a sample depends on its latent alone: not on others beside it, not on chance."""
    generator, latent = _generator(subject).eval(), subject.latent()
    with torch.no_grad():
        together = generator(latent.z, latent.labels)
        torch.manual_seed(1)
        again = generator(latent.z, latent.labels)
        alone = generator(*_first(latent))
    expect(torch.equal(together, again), "in evaluation mode it makes different samples of the same latents")
    expect(
        torch.allclose(together[:1], alone, atol=TOLERANCE),
        "in evaluation mode a sample depends on the others in its batch: batch statistics belong to training mode",
    )


def generator_is_conditional(subject: Subject) -> None:
    """The attribute `conditional` tells the truth: labels change samples if, and only if, it is set."""
    generator, latent = _generator(subject).eval(), subject.latent()
    if latent.labels is None:
        expect(not generator.conditional, "it is conditional; check it with labelled data (overrides)")
        return
    with torch.no_grad():
        _stir(generator)
        changed = not torch.equal(
            generator(latent.z, latent.labels), generator(latent.z, _others(latent.labels, subject.shape.num_classes))
        )
    expect(changed == generator.conditional, _conditional_message(changed, "samples"))


def trains_generator(subject: Subject) -> None:
    """A gradient reaches every parameter, and the latents."""
    generator, latent = _generator(subject), subject.latent()
    z = latent.z.clone().requires_grad_()
    samples = generator(z, latent.labels)
    (samples * subject.samples(seed=2)).sum().backward()
    expect_all_reached("training", generator)
    if z.grad is not None:
        expect_finite("the gradient of the latents", z.grad)


def keeps_generator_state(subject: Subject) -> None:
    """What it learned, its buffers included, survives saving and loading."""
    latent = subject.latent()
    first, second = _generator(subject, 0), _generator(subject, 1)
    for seed in range(2):
        seen = subject.latent(seed=seed)
        first(seen.z, seen.labels)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        same = torch.equal(first.eval()(latent.z, latent.labels), second.eval()(latent.z, latent.labels))
    expect(same, "loaded from its state_dict it makes other samples: register what it remembers as buffers")


def scores_samples(subject: Subject) -> None:
    """It returns a DiscriminatorOutput: one finite logit a sample, features, heads."""
    x, labels = subject.labelled()
    with own_randomness("forward"), inputs_kept("forward", x=x, labels=labels):
        output = _discriminator(subject)(x, labels)
    expect(isinstance(output, DiscriminatorOutput), f"forward returns {type(output).__name__}, not DiscriminatorOutput")
    expect(
        tuple(output.logits.shape) == (BATCH_SIZE,),
        f"its logits have the shape {tuple(output.logits.shape)}, not one number a sample ({BATCH_SIZE},): "
        "`output` maps the flat penultimate features (N, A) to (N, 1)",
    )
    expect(isinstance(output.features, tuple), "its features are no tuple")
    for activation in (*output.features, *output.heads.values()):
        expect(
            activation.ndim >= 2 and len(activation) == BATCH_SIZE,
            f"features or heads have the shape {tuple(activation.shape)} for {BATCH_SIZE} samples",
        )
    expect_finite("its output", output.logits, *output.features, *output.heads.values())


def depends_on_samples(subject: Subject) -> None:
    """A gradient reaches the samples: without it no generator can learn."""
    x, labels = subject.labelled()
    x.requires_grad_()
    _discriminator(subject)(x, labels).logits.sum().backward()
    expect(x.grad is not None and bool((x.grad != 0).any()), "no gradient of the logits reaches the samples")


def scores_alone(subject: Subject) -> None:
    """In evaluation mode a logit depends on its sample alone."""
    discriminator = _discriminator(subject).eval()
    x, labels = subject.labelled()
    with torch.no_grad():
        together = discriminator(x, labels).logits
        alone = discriminator(x[:1], None if labels is None else labels[:1]).logits
    expect(
        torch.allclose(together[:1], alone, atol=TOLERANCE, rtol=TOLERANCE),
        "in evaluation mode a logit depends on the other samples in its batch",
    )


def discriminator_is_conditional(subject: Subject) -> None:
    """The attribute `conditional` tells the truth."""
    discriminator = _discriminator(subject).eval()
    x, labels = subject.labelled()
    if labels is None:
        expect(not discriminator.conditional, "it is conditional; check it with labelled data (overrides)")
        return
    with torch.no_grad():
        _stir(discriminator)
        first, second = (discriminator(x, given) for given in (labels, _others(labels, subject.shape.num_classes)))
    changed = not torch.equal(first.logits, second.logits)
    expect(changed == discriminator.conditional, _conditional_message(changed, "logits"))


def trains_discriminator(subject: Subject) -> None:
    """A gradient reaches every parameter."""
    discriminator = _discriminator(subject)
    output = discriminator(*subject.labelled())
    sum((head.sum() for head in output.heads.values()), output.logits.sum()).backward()
    expect_all_reached("training", discriminator)


def keeps_discriminator_state(subject: Subject) -> None:
    """What it learned, its buffers included, survives saving and loading."""
    first, second = _discriminator(subject, 0), _discriminator(subject, 1)
    for seed in range(2):
        first(*subject.labelled(seed))
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        same = torch.equal(first.eval()(*subject.labelled()).logits, second.eval()(*subject.labelled()).logits)
    expect(same, "loaded from its state_dict it gives other logits: register what it remembers as buffers")


def keeps_network_state(subject: Subject) -> None:
    """Its state survives saving and loading."""
    first: nn.Module = subject.build(0)
    second: nn.Module = subject.build(1)
    second.load_state_dict(first.state_dict())
    for name, value in first.state_dict().items():
        expect(torch.equal(value, second.state_dict()[name]), f"{name} is lost when it is loaded from its state_dict")


def _stir(network: nn.Module) -> None:
    """Move all parameters a little: some paths are closed at the start, by a weight of 0."""
    seeding.reseed(0, "stir")
    for parameter in network.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=0.1)


def _first(latent: Latent) -> tuple[Tensor, Tensor | None]:
    return latent.z[:1], None if latent.labels is None else latent.labels[:1]


def _others(labels: Tensor, num_classes: int) -> Tensor:
    return (labels + 1) % num_classes if num_classes else labels + 1


def _conditional_message(changed: bool, what: str) -> str:
    if changed:
        return f"labels change its {what}, but it is not marked: set the class attribute conditional = True"
    return f"it is marked conditional = True, but labels do not change its {what}"


GENERATORS = [
    makes_samples,
    depends_on_latents,
    samples_alone,
    generator_is_conditional,
    trains_generator,
    keeps_generator_state,
]
DISCRIMINATORS = [
    scores_samples,
    depends_on_samples,
    scores_alone,
    discriminator_is_conditional,
    trains_discriminator,
    keeps_discriminator_state,
]
NETWORKS = [keeps_network_state, plays_on_exactly]
