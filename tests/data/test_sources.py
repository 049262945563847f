"""Several named sources, drawn in lockstep."""

import pytest
import torch
from omegaconf import OmegaConf

from gan_framework.config.compose import compose
from gan_framework.core.records import DataShape
from gan_framework.data import Batches, DataSource, InMemory, Sources, build_source, identity, shape_of
from gan_framework.errors import ConfigError
from tests.data.making import CONF, KINDS, Streamed, defaults, encoded, picture, write

CPU = torch.device("cpu")


def numbered(kind, n, size):
    """Return images of which each says its number everywhere but at its right edge, which is black."""
    images = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).repeat(1, 1, size, size)
    images[..., -1] = 0
    return kind(images, torch.arange(n), {"text": torch.arange(float(n))[:, None]})


def joint(kinds=(InMemory, Streamed), rank=0, world=1, workers=0, flip=True, seed=3):
    """Return what draws from 14 images, unflipped, and beside them from 22 others of another size."""
    common = {"rank": rank, "world": world, "workers": workers}
    other = Batches(numbered(kinds[1], 22, 5), 4, seed, CPU, name="b", flip=flip, mirrors={"text": False}, **common)
    return Batches(numbered(kinds[0], 14, 3), 4, seed, CPU, others={"b": other}, **common)


def parts(batch):
    other = batch.others["b"]
    tensors = [batch.samples, batch.labels, batch.index, batch.extra["text"]]
    return [*tensors, other.samples, other.labels, other.index, other.extra["text"]]


def same(a, b):
    return all(torch.equal(one, other) for one, other in zip(parts(a), parts(b), strict=True))


BOTH_WAYS = [(a, b) for a in KINDS for b in KINDS]


@pytest.mark.parametrize("kinds", BOTH_WAYS)
def test_each_source_goes_through_epochs_of_its_own(kinds):
    draw = joint(kinds)
    batches = [draw() for _ in range(15)]  # 5 epochs of 3, and 3 of 5
    for index, n, length in (([b.index for b in batches], 14, 3), ([b.others["b"].index for b in batches], 22, 5)):
        epochs = [torch.cat(index[i : i + length]).tolist() for i in range(0, 15, length)]
        assert all(len(set(epoch)) == 4 * length and max(epoch) < n for epoch in epochs)
        assert len({tuple(epoch) for epoch in epochs}) == len(epochs)
    for batch in batches:
        for of in (batch, batch.others["b"]):
            assert torch.equal(of.labels, of.index)
            assert torch.equal(of.extra["text"][:, 0].long(), of.index)
        assert (batch.samples.shape, batch.others["b"].samples.shape) == ((4, 1, 3, 3), (4, 1, 5, 5))
        assert (batch.samples[..., -1] == -1).all()
    edges = torch.cat([batch.others["b"].samples[:, 0, 0, -1] for batch in batches])
    assert 15 < (edges == -1).sum() < 45


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("drawn", [1, 4, 7, 13])
def test_both_resume_in_the_middle_of_three_epochs(drawn, workers):
    whole, resumed = joint((Streamed, Streamed)), joint((Streamed, Streamed), workers=workers)
    for _ in range(drawn):
        whole()
    resumed()
    resumed.drawn = drawn
    for _ in range(15 - drawn):
        assert same(whole(), resumed())
    assert resumed.drawn == whole.drawn == 15


@pytest.mark.parametrize("kinds", BOTH_WAYS)
def test_two_processes_draw_what_one_would_of_both(kinds):
    one, two = joint(kinds), [joint(kinds, rank=rank, world=2) for rank in range(2)]
    for _ in range(11):
        whole, halves = one(), [parts(draw()) for draw in two]
        for tensor, *shares in zip(parts(whole), *halves, strict=True):
            assert len(shares[0]) == 2
            assert torch.equal(tensor, torch.cat(shares))


def test_the_first_source_is_drawn_as_if_it_were_alone():
    alone, first = Batches(numbered(InMemory, 14, 3), 4, 3, CPU), joint()
    for _ in range(8):
        a, b = alone(), first()
        assert torch.equal(a.samples, b.samples)
        assert torch.equal(a.index, b.index)
        assert not a.others


def test_the_order_follows_from_the_seed_and_the_sources_name():
    def order(**given):
        return tuple(Batches(numbered(InMemory, 20, 3), 20, **{"seed": 0, "device": CPU, **given})().index.tolist())

    assert order(name="b") == order(name="b")
    assert len({order(), order(name="b"), order(name="c"), order(name="b", seed=1), order(seed=1)}) == 5


def test_the_flips_follow_from_the_sources_name():
    def flipped(name):
        images = torch.tensor([[0, 255]], dtype=torch.uint8).expand(40, 1, 1, 2)
        return tuple(Batches(InMemory(images), 40, 0, CPU, flip=True, name=name)().samples[:, 0, 0, 0].tolist())

    assert len({flipped(""), flipped("b"), flipped("c")}) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 15}, "batch_size=15 .*at most 14, the size of sources.b"),
        ({"workers": -1}, "sources.b.workers=-1"),
        ({"flip": True}, "sources.b.flip=true.* extra 'text'"),
    ],
)
def test_refusals_name_the_further_sources_setting(settings, message):
    with pytest.raises(ConfigError, match=message):
        Batches(numbered(InMemory, 14, 3), **{"batch_size": 4, "seed": 0, "device": CPU, "name": "b", **settings})


# -- from the configuration -----------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    return write(tmp_path / "photos", {f"{i:02}.png": encoded(picture(i)) for i in range(20)})


def test_sources_are_built_from_their_settings(photos):
    folder = defaults("folder") | {"path": str(photos), "image_size": 8, "test_share": 0, "flip": True}
    sources = Sources(defaults("digits") | {"image_size": 8}, {"b": folder, "c": defaults("mixture")})
    assert sources.first.shape.num_classes == 10
    assert sources.shape == DataShape(
        (1, 8, 8),
        10,
        size=1442,
        others={"b": DataShape((3, 8, 8), size=20), "c": DataShape((2,), 8, size=50000)},
    )
    draw = sources.batches(10, 0, CPU)
    batches = [draw() for _ in range(3)]
    assert [tuple(batches[0].others[name].samples.shape) for name in "bc"] == [(10, 3, 8, 8), (10, 2)]
    read = sources.others["b"].load("train").read(range(20)).float() / 127.5 - 1
    straight = [
        torch.equal(sample, read[position])
        for batch in batches
        for sample, position in zip(batch.others["b"].samples, batch.others["b"].index, strict=True)
    ]
    assert 5 < sum(straight) < 25


def test_processes_share_what_is_drawn_of_each_source():
    sources = Sources(defaults("digits") | {"flip": True}, {"b": defaults("mixture")})
    one, two = sources.batches(10, 0, CPU), [sources.batches(10, 0, CPU, rank, 2) for rank in range(2)]
    for _ in range(3):
        whole, halves = one(), [draw() for draw in two]
        assert torch.equal(whole.samples, torch.cat([half.samples for half in halves]))
        assert torch.equal(whole.others["b"].samples, torch.cat([half.others["b"].samples for half in halves]))


def test_without_further_sources_there_are_no_others():
    sources = Sources(defaults("digits"), {})
    assert sources.shape == DataShape((1, 32, 32), 10, size=1442)
    assert not sources.batches(4, 0, CPU)().others


def test_a_split_is_loaded_once(monkeypatch):
    sources = Sources(defaults("digits"), {})
    loaded = []
    load = sources.first.load
    monkeypatch.setattr(sources.first, "load", lambda split: loaded.append(split) or load(split))
    sources.shape, sources.batches(4, 0, CPU)
    assert loaded == ["train"]


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ({"b": {"image_size": 8}}, r"sources.b=.*settings of a dataset, as in \+data@sources.b=digits"),
        ({"b": "digits"}, "sources.b=digits"),
        ({"b.c": {"name": "digits"}}, "sources.b.c=.*a word for a name"),
        ({"b": {"name": "digitz"}}, "sources.b: .*digitz"),
        ({"b": {"name": "digits", "image_size": 0, "channels": 1, "num_classes": 10}}, "^sources.b.image_size=0"),
        ({"b": defaults("folder")}, "^sources.b.path is missing"),
    ],
)
def test_what_is_no_source_is_refused_by_its_name(further, message):
    with pytest.raises(ConfigError, match=message):
        Sources(defaults("digits"), further)


def test_whether_to_mirror_is_yes_or_no():
    with pytest.raises(ConfigError, match="data.flip=maybe: it must be true or false"):
        Sources(defaults("digits") | {"flip": "maybe"}, {})


def test_a_source_that_cannot_be_loaded_is_named(tmp_path):
    empty = write(tmp_path / "bad", {"0.png": b"no image"})
    settings = defaults("folder") | {"path": str(empty), "test_share": 0}
    with pytest.raises(ConfigError, match="sources.b: .*0.png"):
        Sources(defaults("digits"), {"b": settings})
    sources = Sources(defaults("digits"), {"b": settings | {"image_size": 8, "channels": 1}})
    with pytest.raises(ConfigError, match="sources.b: .*0.png"):
        sources.shape  # noqa: B018 (loads it)


MADE_OF_OTHERS = {"unpaired", "unpaired_a"}
"""Options that choose `folder`, with settings of their own."""


@pytest.mark.parametrize("name", sorted({path.stem for path in CONF.glob("*.yaml")} - MADE_OF_OTHERS))
def test_every_dataset_can_be_chosen_as_a_further_source(name):
    config = compose([f"+data@sources.b={name}"])
    assert OmegaConf.to_container(config.sources.b) == defaults(name)
    assert config.data.name == "digits"


def digits(**settings):
    return {**defaults("digits"), "image_size": 8, **settings}


def test_classes_that_are_named_must_be_those_of_the_data():
    names = [*"0123456789"]
    assert build_source(digits(classes=names)).classes == (*names,)
    with pytest.raises(ConfigError, match=r"are \[1, 0, 2, .*\], and the data have \[0, 1, 2, .*\]: each label"):
        build_source(digits(classes=[*"1023456789"]))


def test_a_split_is_loaded_once_however_many_ask_for_it():
    source = build_source(digits())
    assert source.load("train") is source.load("train")
    assert Sources(digits(), {}).batches(4, 0, CPU).data is not source.load("train")


def test_near_duplicates_of_earlier_samples_are_not_trained_on_but_compared_with(tmp_path):
    same = [encoded(picture(number % 5)) for number in range(20)]
    write(tmp_path, {f"{number:02d}.png": content for number, content in enumerate(same)})
    settings = {**defaults("folder"), "path": str(tmp_path), "image_size": 8, "test_share": 0.0}
    sources = Sources({**settings, "drop_near_duplicates": 0.0}, {"b": settings})
    batches = sources.batches(5, 0, CPU)
    assert len(batches.data) == sources.shape.size == 5 and len(batches.others["b"].data) == 20
    assert len(sources.first.load("train")) == 20
    with pytest.raises(ConfigError, match="data.drop_near_duplicates=-1"):
        Sources({**settings, "drop_near_duplicates": -1}, {}).batches(5, 0, CPU)


def test_data_are_known_again_by_their_content():
    one, same = (identity(build_source(digits()).load("train")) for _ in range(2))
    assert one == same and one["samples"] == 1442
    assert identity(build_source(digits(image_size=9)).load("train"))["content"] != one["content"]


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        ([0, 3], (), "its labels go from 0 to 3, but shape.num_classes=3"),
        ([-1, 2], (), "its labels go from -1 to 2, but shape.num_classes=3"),
        ([0, 2], ("a", "b"), "it names 2 classes, but shape.num_classes=3"),
        ([0, 2], ("a", "b", "c"), None),
        ([0, 2], (), None),
    ],
)
def test_labels_are_those_of_the_classes(labels, names, said):
    class Labelled(DataSource):
        classes = names
        shape = DataShape((2,), 3)

        def load(self, split):
            return InMemory(torch.zeros(2, 2), torch.tensor(labels))

    source = Labelled()
    if said is None:
        assert shape_of(source, source.load("train")).num_classes == 3
        return
    with pytest.raises(ConfigError, match=said):
        shape_of(source, source.load("train"))
