"""The contracts of generators, discriminators and other networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.core import seeding
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.testing.games import plays_on_exactly
from gan_framework.testing.guards import expect, expect_all_reached, expect_finite, inputs_kept, own_randomness
from gan_framework.testing.samples import BATCH_SIZE
from gan_framework.testing.subject import Subject

TOLERANCE = 1e-4


def _generator(subject: Subject, seed: int = 0) -> Generator:
    generator: Generator = subject.build(seed)
    return generator


def _discriminator(subject: Subject, seed: int = 0) -> Discriminator:
    discriminator: Discriminator = subject.build(seed)
    return discriminator


def makes_samples(subject: Subject) -> None:
    """Samples have the shape that their judge compares them in, and 8-bit images lie in [-1, 1]."""
    call = subject.call()
    generator = _generator(subject)
    with own_randomness("forward"), inputs_kept("forward", z=call.first, labels=call.labels):
        samples = generator(*call.given)
    wanted = (BATCH_SIZE, *(call.wanted or samples.shape[1:]))
    expect(
        tuple(samples.shape) == wanted,
        f"forward makes samples {tuple(samples.shape)} of {BATCH_SIZE} latents, and the data ask for {wanted}: use the "
        "settings image_size and channels",
    )
    expect(samples.is_floating_point(), f"its samples are {samples.dtype}, not float32")
    expect_finite("what forward makes", samples)
    if call.sampled and subject.shape.is_8_bit:
        # Far from the prior a generator that is not bounded gives itself away.
        far = generator(*call.replaced(first=100 * call.first) if subject.config["prior"] else call.given)
        low, high = far.min().item(), far.max().item()
        expect(
            low >= -1 - TOLERANCE and high <= 1 + TOLERANCE, f"its images lie in [{low:.3g}, {high:.3g}], not [-1, 1]"
        )


def depends_on_latents(subject: Subject) -> None:
    """Different latents, or different samples to make samples of, give different samples."""
    generator = _generator(subject).eval()
    first, second = (generator(*subject.call(seed).given) for seed in (0, 1))
    expect(not torch.equal(first, second), "it makes the same samples of different latents")


def samples_alone(subject: Subject) -> None:
    """In evaluation mode a sample depends on its latent alone: not on others beside it, not on chance."""
    generator, call = _generator(subject).eval(), subject.call()
    with torch.no_grad():
        together = generator(*call.given)
        torch.manual_seed(1)
        again = generator(*call.given)
        alone = generator(*call.alone())
    expect(torch.equal(together, again), "in evaluation mode it makes different samples of the same latents")
    expect(
        torch.allclose(together[:1], alone, atol=TOLERANCE),
        "in evaluation mode a sample depends on the others in its batch: batch statistics belong to training mode",
    )


def generator_is_conditional(subject: Subject) -> None:
    """The attribute `conditional` tells the truth: labels change samples if, and only if, it is set."""
    generator, call = _generator(subject).eval(), subject.call()
    if call.labels is None:
        expect(not generator.conditional, "it is conditional; check it with labelled data (overrides)")
        return
    with torch.no_grad():
        _stir(generator)
        others = call.replaced(labels=_others(call.labels, subject.shape.num_classes))
        changed = not torch.equal(generator(*call.given), generator(*others))
    expect(changed == generator.conditional, _conditional_message(changed, "samples"))


def trains_generator(subject: Subject) -> None:
    """A gradient reaches every parameter, and the latents."""
    generator, call = _generator(subject), subject.call()
    z = call.first.clone().requires_grad_()
    made = [value for value in generator.everything(*call.replaced(first=z)).values() if value.requires_grad]
    expect(bool(made), "what it makes has no gradient: is something detached, or made without its parameters?")
    seeding.reseed(0, "directions")
    torch.stack([(value * torch.randn_like(value)).sum() for value in made]).sum().backward()
    expect_all_reached("training", generator)
    if z.grad is not None:
        expect_finite("the gradient of the latents", z.grad)


def keeps_generator_state(subject: Subject) -> None:
    """What it learned, its buffers included, survives saving and loading."""
    call = subject.call()
    first, second = _generator(subject, 0), _generator(subject, 1)
    for seed in range(2):
        first(*subject.call(seed).given)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        same = torch.equal(first.eval()(*call.given), second.eval()(*call.given))
    expect(same, "loaded from its state_dict it makes other samples: register what it remembers as buffers")


def scores_samples(subject: Subject) -> None:
    """It returns a DiscriminatorOutput: finite logits of every sample, features, heads."""
    call, discriminator = subject.call(), _discriminator(subject)
    with own_randomness("forward"), inputs_kept("forward", x=call.first, labels=call.labels):
        output = discriminator(*call.given)
    expect(isinstance(output, DiscriminatorOutput), f"forward returns {type(output).__name__}, not DiscriminatorOutput")
    several = discriminator.patches or type(discriminator).forward is not Discriminator.forward
    size = len(call.first)  # both sides in one pass are twice the batch
    expect(
        output.logits.ndim >= 1 and len(output.logits) == size and (several or output.logits.ndim == 1),
        f"its logits have the shape {tuple(output.logits.shape)}, not one number a sample ({size},): "
        "`output` maps the flat penultimate features (N, A) to (N, 1), or maps to maps where `patches = True`",
    )
    expect(isinstance(output.features, tuple), "its features are no tuple")
    for activation in (*output.features, *output.heads.values()):
        expect(
            activation.ndim >= 2 and len(activation) == size,
            f"features or heads have the shape {tuple(activation.shape)} for {size} samples",
        )
    expect_finite("its output", output.logits, *output.features, *output.heads.values())


def depends_on_samples(subject: Subject) -> None:
    """A gradient reaches the samples: without it no generator can learn."""
    call = subject.call()
    x = call.first.clone().requires_grad_()
    logits = _discriminator(subject)(*call.replaced(first=x)).logits
    if logits.requires_grad:
        logits.sum().backward()
    expect(x.grad is not None and bool((x.grad != 0).any()), "no gradient of the logits reaches the samples")


def scores_alone(subject: Subject) -> None:
    """In evaluation mode a logit depends on its sample alone."""
    discriminator, call = _discriminator(subject).eval(), subject.call()
    with torch.no_grad():
        together = discriminator(*call.given).logits
        alone = discriminator(*call.alone()).logits
    expect(
        torch.allclose(together[:1], alone, atol=TOLERANCE, rtol=TOLERANCE),
        "in evaluation mode a logit depends on the other samples in its batch",
    )


def independence_is_true(subject: Subject) -> None:
    """The attribute `batch_independent`, where it is True, tells the truth: both sides are then judged in one pass."""
    discriminator, call = _discriminator(subject), subject.call()
    if discriminator.batch_independent is not True:
        return
    with torch.no_grad():
        _stir(discriminator)
        seeding.reseed(0, "alone")
        together = discriminator(*call.given).logits
        seeding.reseed(0, "alone")
        alone = discriminator(*call.alone()).logits
    expect(
        torch.allclose(together[:1], alone, atol=TOLERANCE, rtol=TOLERANCE),
        "it says batch_independent = True, but in training a logit depends on the other samples in its batch",
    )


def discriminator_is_conditional(subject: Subject) -> None:
    """The attribute `conditional` tells the truth."""
    discriminator, call = _discriminator(subject).eval(), subject.call()
    if call.labels is None:
        expect(not discriminator.conditional, "it is conditional; check it with labelled data (overrides)")
        return
    with torch.no_grad():
        _stir(discriminator)
        others = call.replaced(labels=_others(call.labels, subject.shape.num_classes))
        changed = not torch.equal(discriminator(*call.given).logits, discriminator(*others).logits)
    expect(changed == discriminator.conditional, _conditional_message(changed, "logits"))


def trains_discriminator(subject: Subject) -> None:
    """A gradient reaches every parameter."""
    discriminator = _discriminator(subject)
    output = discriminator(*subject.call().given)
    sum((head.sum() for head in output.heads.values()), output.logits.sum()).backward()
    expect_all_reached("training", discriminator)


def keeps_discriminator_state(subject: Subject) -> None:
    """What it learned, its buffers included, survives saving and loading."""
    first, second = _discriminator(subject, 0), _discriminator(subject, 1)
    given = subject.call().given
    for seed in range(2):
        first(*subject.call(seed).given)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        same = torch.equal(first.eval()(*given).logits, second.eval()(*given).logits)
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
    independence_is_true,
    discriminator_is_conditional,
    trains_discriminator,
    keeps_discriminator_state,
]
NETWORKS = [keeps_network_state, plays_on_exactly]
