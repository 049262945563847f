import copy

import numpy as np
import pytest
import torch

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError, NonFinite, RunFailed
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.storage.images import to_uint8
from gan_zoo.extractors.classifier import Classifier
from gan_zoo.metrics.cluster_accuracy import ClusterAccuracy
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.inception_score import InceptionScore
from gan_zoo.metrics.kid import KID
from gan_zoo.metrics.memorisation import Memorisation
from gan_zoo.metrics.prc import PRC
from tests.evaluation.conftest import Blobs


class Halves(Extractor):
    """The means of the image's halves as features and logits; counts what it sees."""

    name = "halves"
    dim = 2
    classifies = True

    def __init__(self, precision="fp32", scale=1.0):
        super().__init__(precision)
        self.register_buffer("scale", torch.tensor(scale))
        self.seen = 0

    def prepare(self, source, device, cache):
        torch.rand(3)  # draws random numbers, as training a classifier does
        self.to(device)

    def extract(self, samples):
        self.seen += len(samples)
        x = samples.float()
        features = self.scale * torch.stack([x[..., :4].mean((1, 2, 3)), x[..., 4:].mean((1, 2, 3))], 1)
        return Features(features, features / 50)


def make(source, tmp_path, extractor=None, metrics=None, device="cpu", **settings):
    metrics = {"fid": FID(), "inception_score": InceptionScore(splits=2)} if metrics is None else metrics
    settings = EvaluateConfig(**({"samples": 50, "batch_size": 16, "baselines": False} | settings))
    return Evaluator(extractor or Halves(), metrics, source, "blobs", settings, torch.device(device), tmp_path)


def test_scores_are_those_of_the_definition(source, game, tmp_path):
    evaluation = make(source, tmp_path)(game)
    from gan_framework.evaluation.sampling import draw_latents

    fake = to_uint8(game.sample(draw_latents(game, EvaluateConfig(samples=50), 0, None)))
    real = source.load("train").samples
    extract = Halves().extract
    a, b = (extract(x).features.double().numpy() for x in (fake, real))
    from scipy.linalg import sqrtm

    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    by_hand = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert evaluation.scores["fid_halves"] == pytest.approx(by_hand, rel=1e-6)
    assert set(evaluation.scores) == {"fid_halves", "is_halves", "is_std_halves"}


def test_the_protocol_names_everything(source, game, tmp_path):
    protocol = make(source, tmp_path, seed=3)(game).protocol
    data = source.load("train")
    assert protocol == {
        "extractor": "halves",
        "extractor_hash": Halves().fingerprint(),
        "extractor_precision": "fp32",
        "resize": "none",
        "quantisation": "uint8, nearest",
        "dataset": "blobs",
        "shape": [1, 8, 8],
        "split": "train",
        "reference_count": 200,
        "reference_hash": data.content_hash()[:16],
        "classes": ["left", "right"],
        "samples": 50,
        "sample_seeds": [3],
        "truncation": None,
        "ema": False,
        "batch_norm": "running",
        "metrics": {"fid_halves": {}, "is_halves": {"splits": 2}, "is_std_halves": {"splits": 2}},
    }


def test_evaluating_changes_neither_game_nor_random_state(source, game, tmp_path):
    game.train()
    before, random_before = copy.deepcopy(game.networks.state_dict()), torch.get_rng_state()
    modes = {name: module.training for name, module in game.named_modules()}
    numpy_before = np.random.get_state()[1].copy()
    make(source, tmp_path)(game)
    assert torch.equal(torch.get_rng_state(), random_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)
    after = game.networks.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert modes == {name: module.training for name, module in game.named_modules()}
    assert all(p.grad is None for p in game.parameters())


def test_scores_follow_from_the_seed_alone(source, game, tmp_path):
    first = make(source, tmp_path)(game).scores
    torch.manual_seed(77)
    assert make(source, tmp_path, batch_size=7)(game).scores == pytest.approx(first, rel=1e-5)
    assert make(source, tmp_path, seed=1)(game).scores["fid_halves"] != pytest.approx(first["fid_halves"], rel=1e-5)


def test_what_a_network_draws_itself_follows_from_the_sample_seed_too(source, game, tmp_path):
    """As in a run that was stopped while it was scored, and of which another number of random numbers was drawn."""
    game.generator.layers.append(Drawing())
    found = []
    for state, seed in ((1, 0), (2, 0), (2, 1)):
        torch.manual_seed(state)
        found.append(make(source, tmp_path, seed=seed)(game).scores["fid_halves"])
    assert found[0] == found[1] != found[2]


class Drawing(torch.nn.Module):
    """Draws the samples' values anew, whatever they are, in evaluation mode too."""

    def forward(self, x):
        return torch.rand_like(x) * 2 - 1


def test_real_features_are_extracted_once_for_all_runs(source, game, tmp_path):
    first = make(source, tmp_path)
    first(game)
    assert first.extractor.seen == 250
    first(game)
    assert first.extractor.seen == 300
    second = make(source, tmp_path)
    second(game)
    assert second.extractor.seen == 50


@pytest.mark.parametrize(
    "change",
    [{"split": "test"}, {"extractor": Halves(scale=2.0)}, {"extractor": Halves(precision="bf16")}],
    ids=["split", "weights", "precision"],
)
def test_cached_features_are_not_used_when_anything_changed(source, game, tmp_path, change):
    make(source, tmp_path)(game)
    changed = make(source, tmp_path, **change)
    changed(game)
    assert changed.extractor.seen == 250


class Moved(Halves):
    """Has no weights of its own by which it could be told from what it was, and as many features."""

    def __init__(self, by=0.0):
        super().__init__()
        self.by = by

    def extract(self, samples):
        return Features(super().extract(samples).features + self.by)


def test_cached_features_are_not_used_by_an_extractor_that_looks_otherwise(source, game, tmp_path, monkeypatch):
    def seen_and_scored(by):
        evaluator = make(source, tmp_path, extractor=Moved(by), metrics={"fid": FID()})
        return evaluator(game).scores["fid_halves"], evaluator.extractor.seen

    before, _ = seen_and_scored(0.0)
    assert seen_and_scored(0.0) == (before, 50)
    assert seen_and_scored(3.0) == (pytest.approx(before, rel=1e-3), 250)  # both sides are moved
    # Its author has been at work on it.
    monkeypatch.setattr("gan_framework.evaluation.extractor.code_of", lambda *kinds: str(len(kinds)))
    assert seen_and_scored(0.0) == (before, 250)


def test_cached_features_are_not_used_for_other_data(source, game, tmp_path):
    make(source, tmp_path)(game)
    changed = make(type(source)(n=198), tmp_path)
    changed(game)
    assert changed.extractor.seen == 248


def test_cached_features_are_used_whatever_the_classes_are_called(source, game, tmp_path):
    make(source, tmp_path)(game)
    source.classes = ("west", "east")
    renamed = make(source, tmp_path)
    assert renamed(game).protocol["classes"] == ["west", "east"]
    assert renamed.extractor.seen == 50


def test_a_conditional_game_is_asked_for_the_labels_of_the_reference(source, conditional_game, tmp_path):
    asked = []
    sample = conditional_game.sample
    conditional_game.sample = lambda latent: asked.append(latent.labels) or sample(latent)
    make(source, tmp_path, samples=400)(conditional_game)
    labels = torch.cat(asked)
    assert len(labels) == 400
    assert 140 < labels.sum() < 260  # half of 400, five standard deviations either way


def test_too_few_samples_for_fid_is_a_warning(source, game, tmp_path):
    assert make(source, tmp_path)(game).warnings == []
    (warning,) = make(source, tmp_path, samples=2)(game).warnings
    assert "N=2 <= d=2 for the generated samples" in warning
    assert "biased" in warning


@pytest.mark.parametrize("value", [0.3, -1.0, 1.0])
@pytest.mark.parametrize("metrics", [{"fid": FID()}, {"kid": KID(2, 20)}, {"prc": PRC(3, 5)}])
def test_a_constant_is_scored_with_a_warning(source, game, tmp_path, value, metrics):
    game.sample = lambda latent: torch.full((len(latent.z), 1, 8, 8), value)
    found = make(source, tmp_path, metrics=metrics)(game)
    assert f"every value of all 50 generated samples is {round((value + 1) * 127.5)}" in found.warnings[-1]
    assert found.scores and np.isfinite([*found.scores.values()]).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_not_finite_are_an_error_of_their_own(source, game, tmp_path, value):
    game.sample = lambda latent: torch.full((len(latent.z), 1, 8, 8), value)
    with pytest.raises(NonFinite, match="NaN or infinite"):
        make(source, tmp_path)(game)


def test_scores_that_are_no_numbers_are_named(source, game, tmp_path):
    class Undefined(FID):
        def scores(self, comparison):
            return {"fid": float("nan"), "other": 1.0}

    (warning,) = make(source, tmp_path, metrics={"fid": Undefined()})(game).warnings
    assert warning == "fid_halves is nan: it is left out of every ranking"


@pytest.mark.parametrize("metric", [FID(), KID(1, 2)])
def test_a_metric_says_before_training_that_it_needs_more_real_samples(source, game, tmp_path, metric):
    with pytest.raises(ConfigError, match="metrics.it needs at least 2 real samples, and there are 1 in the split"):
        make(type(source)(n=1), tmp_path, metrics={"it": metric}).check(game)
    make(type(source)(n=2), tmp_path, metrics={"it": metric}).check(game)


def test_several_seeds_give_mean_and_standard_deviation(source, game, tmp_path):
    alone = [make(source, tmp_path, seed=seed)(game).scores["fid_halves"] for seed in (5, 6, 7)]
    together = make(source, tmp_path, seed=5, seeds=3)(game)
    assert together.scores["fid_halves"] == pytest.approx(np.mean(alone), rel=1e-5)
    assert together.deviations["fid_halves"] == pytest.approx(np.std(alone, ddof=1), rel=1e-4)
    assert together.protocol["sample_seeds"] == [5, 6, 7]
    assert make(source, tmp_path)(game).deviations == {}


def test_a_part_of_the_reference_is_evenly_spaced_and_another_protocol(source, game, tmp_path):
    make(source, tmp_path)(game)
    evaluator = make(source, tmp_path, reference=51)
    assert evaluator(game).protocol["reference_count"] == 51
    assert evaluator.extractor.seen == 101
    part = evaluator.reference.features("train")
    data = source.load("train")
    chosen = torch.linspace(0, 199, 51).round().long()
    assert torch.equal(part.labels, data.labels[chosen])
    assert torch.equal(part.read(torch.tensor([7])), data.samples[chosen[7]][None])


def test_a_metric_reads_all_of_a_split_whatever_the_reference(source, game, tmp_path):
    seen = {}

    class Counts(FID):
        def scores(self, comparison):
            seen.update(real=len(comparison.real.features), train=len(comparison.split("train").features))
            return super().scores(comparison)

    make(source, tmp_path, metrics={"counts": Counts()}, reference=51)(game)
    assert seen == {"real": 51, "train": 200}


class TrainOnly(Blobs):
    """Data without held-out samples."""

    def load(self, split):
        if split == "test":
            raise ConfigError("there is no split 'test'")
        return super().load(split)


def test_a_missing_split_is_found_before_training(game, tmp_path):
    images = TrainOnly().load("train").samples

    class Learns(Halves):
        needs_splits = ("train", "test")

        def prepare(self, source, device, cache):
            raise AssertionError("prepared")

    make(TrainOnly(), tmp_path).check(game)
    for parts, said in (
        ({"metrics": {"memorisation": Memorisation(2, 2)}}, "metrics.memorisation needs the test split.*no split"),
        ({"extractor": Learns()}, "extractor=halves needs the test split.*no split"),
    ):
        evaluator = make(TrainOnly(), tmp_path, **parts)
        with pytest.raises(ConfigError, match=said):
            evaluator.check(game)
        with pytest.raises(ConfigError, match=said):
            evaluator.score_images(iter([images]), len(images))


def test_what_reads_the_test_split_says_so():
    assert "test" in Classifier.needs_splits
    assert "test" in ClusterAccuracy.needs_splits


def test_too_few_samples_for_a_metric_are_found_before_training(source, game, tmp_path):
    prc = {"prc": PRC(3, 5)}
    make(source, tmp_path, metrics=prc, samples=6).check(game)
    for settings in ({"samples": 5}, {"reference": 5}):
        with pytest.raises(ConfigError, match="metrics.prc"):
            make(source, tmp_path, metrics=prc, **settings).check(game)
    with pytest.raises(ConfigError, match="metrics.prc"):
        make(source, tmp_path, metrics=prc).score_images(iter([source.load("train").samples[:5]]), 5)


def test_images_from_elsewhere(source, tmp_path):
    evaluator = make(source, tmp_path)
    same = evaluator.score_images(iter(source.load("train").samples.split(30)), 200)
    assert same.scores["fid_halves"] == pytest.approx(0, abs=1e-6)
    assert same.protocol["samples"] == 200


def test_a_metric_that_needs_logits(source, tmp_path):
    class NoLogits(Halves):
        classifies = False

    with pytest.raises(ConfigError, match="inception_score.*halves.*classifier"):
        make(source, tmp_path, extractor=NoLogits())


def test_an_extractor_of_images_refuses_vectors(tmp_path):
    class Vectors:
        shape = DataShape((2,), 8)

    with pytest.raises(ConfigError, match="raw"):
        make(Vectors(), tmp_path)


def test_nothing_is_prepared_before_the_first_evaluation(source, game, tmp_path):
    class Heavy(Halves):
        def prepare(self, source, device, cache):
            raise AssertionError("prepared")

    make(source, tmp_path, extractor=Heavy()).check(game)


def test_weights_are_downloaded_before_training(source, game, tmp_path):
    class Far(Halves):
        downloads = True

        def prepare(self, source, device, cache):
            raise RunFailed("no network")

    with pytest.raises(RunFailed, match="no network"):
        make(source, tmp_path, extractor=Far()).check(game)


def test_what_learns_from_the_data_is_found_useless_before_training_and_disturbs_nothing(source, game, tmp_path):
    class Learns(Halves):
        learns = True
        fails = False

        def prepare(self, source, device, cache):
            super().prepare(source, device, cache)
            if self.fails:
                raise ConfigError("it has learnt nothing")

        def doubts(self):
            return ["it has learnt little"]

    before = torch.get_rng_state()
    evaluator = make(source, tmp_path, extractor=Learns())
    evaluator.check(game)
    assert torch.equal(torch.get_rng_state(), before)
    assert evaluator(game).warnings == ["it has learnt little"]
    Learns.fails = True
    with pytest.raises(ConfigError, match="learnt nothing"):
        make(source, tmp_path, extractor=Learns()).check(game)


def test_directions(source, tmp_path):
    assert make(source, tmp_path).higher_is_better == {"fid_halves": False, "is_halves": True}


def test_wrong_settings_name_the_setting(source, tmp_path):
    with pytest.raises(ConfigError, match="evaluate.samples=1"):
        make(source, tmp_path, samples=1)


def test_features_are_extracted_in_one_stream(source, tmp_path):
    import weakref

    from gan_framework.evaluation.features import extract_all

    given = []

    class Watched(Halves):
        def extract(self, samples):
            assert sum(batch() is not None for batch in given) <= 2  # this batch and the one before
            return super().extract(samples)

    def batches():
        for _ in range(20):
            batch = torch.randint(0, 255, (10, 1, 8, 8), dtype=torch.uint8)
            given.append(weakref.ref(batch))
            yield batch

    found = extract_all(Watched(), batches(), 200, torch.device("cpu"), "they")
    assert found.features.shape == (200, 2)
    assert len(given) == 20
    # One block, not batches that were joined: joining holds everything twice.
    assert found.features.untyped_storage().nbytes() == 200 * 2 * 4


def test_a_run_ends_with_the_same_parameters_whether_it_is_scored_or_not(cache, tmp_path):
    from gan_framework.config.scoring import compose
    from gan_framework.runs import checkpoint
    from gan_framework.runs.launch import launch

    common = ["debug=smoke", "data.image_size=16", "networks.generator.width=4", "networks.discriminator.width=4"]
    scored = ["extractor=raw", "metrics=[fid,memorisation]", "evaluate.samples=64", "evaluate.every=1"]
    states = []
    unranked = ["extractor=raw", "metrics=[memorisation]"]  # its scores have no better direction
    for name, overrides in (("scored", scored), ("not", ["metrics=[]"]), ("unranked", unranked)):
        launch(compose([*common, *overrides]), tmp_path / name, [])
        states.append(checkpoint.load(tmp_path / name / "checkpoints" / "last.pt")["game"])
    weights, *others = ({k: v for k, v in state.items() if torch.is_tensor(v)} for state in states)
    for other in others:
        assert weights.keys() == other.keys()
        assert all(torch.equal(weights[name], other[name]) for name in weights)
    assert len(list((tmp_path / "scored" / "samples").glob("memorisation_*.png"))) == 2
    lines = (tmp_path / "scored" / "metrics.jsonl").read_text().splitlines()
    assert sum("eval/fid_raw" in line for line in lines) == 2


def test_the_score_to_keep_the_best_of_is_known_before_training(compose, source):
    config = compose("debug=smoke", "extractor=raw", "metrics=[fid,memorisation]", "evaluate.best=memorisation_raw")
    with pytest.raises(ConfigError, match="evaluate.best=memorisation_raw: choose one of fid_raw"):
        Evaluator.from_config(config, source, torch.device("cpu"))
