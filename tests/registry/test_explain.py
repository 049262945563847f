"""What is said of wrong requests, as people type them, leads to what they meant."""

import logging

import pytest
import torch
from omegaconf import OmegaConf

from gan_framework.build import build_game
from gan_framework.config.compose import compose, plain, readable
from gan_framework.config.field_names import SETTINGS
from gan_framework.config.proposals import called_otherwise, instead
from gan_framework.config.unchosen import say_what_comes_with_the_loss, without_unchosen
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.registry.packages import groups


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lr=1e-4", "did you mean optimizer.generator.lr=1e-4 or optimizer.discriminator.lr=1e-4"),
        ("batch_size=32", "did you mean train.batch_size=32 or evaluate.batch_size=32"),
        ("generator.width=64", "generator.width: unknown setting; did you mean networks.generator.width=64"),
        ("data.path=photos", "data.path: unknown setting; it belongs to data=folder or data=npz or "),
        ("data.path=a/b.csv", "it belongs to data=table or data=folder or data=npz"),
        ("data.size=32", "did you mean data.image_size=32?"),
        ("optimizer.lr=1e-3", "did you mean optimizer.generator.lr=1e-3 or optimizer.discriminator.lr=1e-3?"),
        ("networks.generator.nz=100", "did you mean prior.dim=100?"),
        ("latent_dim=100", "did you mean prior.dim=100?"),
        ("tracker.project=x", "did you mean tracker.wandb.project=x?"),
        ("ema=true", "did you mean 'strategy=[ema]'?"),
        ("train=5", "write train.NAME=VALUE"),
        ("hinge", "did you mean loss=hinge?"),
        ("loss:hinge", "write loss=hinge"),
        ("steps=5", "did you mean train.steps=5"),
        ("networks.generator.widht=3", "closest in networks.generator: width"),
        ("train.steps=1e5", "must be an integer: train.steps=100000"),
        ("optimizer.generator.betas=(0.5,0.9)", "in brackets: 'optimizer.generator.betas=[0.5,0.9]'"),
        ("strategy=[ema,", "unbalanced bracket; quote overrides that contain spaces"),
        ("loss=hindge", "unknown option; closest: hinge"),
        ("tracker=none", "to choose none: 'tracker=[]'"),
        ("~strategy=[ema]", "~strategy=[ema]: none is taken out of a list; name those that stay: 'strategy=[...]'"),
        ("~strategy=ema", "~strategy=ema: none is taken out of a list"),
        ("~experiment=foo", "~experiment=foo: there is nothing of that name to delete"),
        ("wandb=false", "without any: 'tracker=[]'"),
        ("ema.decay=0.9", "did you mean strategy.ema.decay=0.9, with 'strategy=[ema]'"),
        ("strategy.ema.decay=0.9", "choose it first with 'strategy=[ema]'"),
        (
            "betas=0.5,0.9",
            "did you mean 'optimizer.generator.betas=[0.5,0.9]' or 'optimizer.discriminator.betas=[0.5,0.9]'",
        ),
        ("metrics=[fid_inception]", "did you mean 'metrics=[fid]' extractor=inception?"),
        ("dry_run=true", "did you mean --cfg job, which prints the configuration?"),
        ("fast_dev_run=true", "did you mean debug=smoke?"),
        ("model=mlp,", "a comma at its end"),
        ("qwertyuiop=1", "--help lists the settings"),
        ("train.qwertyuiop=1", "`--cfg job -p train` shows what train has"),
    ],
)
def test_what_is_typed_leads_to_what_is_meant(typed, said):
    with pytest.raises(ConfigError) as refusal:
        compose([typed])
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_what_every_term_can_be_told_is_added_where_its_yaml_does_not_have_it():
    with pytest.raises(ConfigError, match=r"terms.r1.pair: unknown setting; .* added by a \+: \+terms.r1.pair=main"):
        compose(["term=[r1]", "terms.r1.pair=main"])
    assert compose(["term=[r1]", "+terms.r1.pair=main"]).terms.r1.pair == "main"


@pytest.mark.parametrize(("path", "reader"), [("photos", "folder"), ("a/table.csv", "table"), ("./x.npy", "npz")])
def test_a_path_in_the_place_of_data_leads_to_what_reads_it(path, reader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / path
    place.parent.mkdir(exist_ok=True)
    place.mkdir() if reader == "folder" else place.touch()
    with pytest.raises(ConfigError, match=rf"did you mean data={reader} data.path=.*{path}\?"):
        compose([f"data={path}"])


@pytest.mark.parametrize(
    ("group", "typed", "right"),
    [
        ("model", "biggan", "there is experiment=biggan"),
        ("strategy", "r1", "there is 'term=[r1]'"),
        ("data", "imagenet", "data=folder data.path=FOLDER"),
        ("metrics", "fid50k", "metrics=[fid] evaluate.samples=50000"),
        ("tracker", "mlflow", "trackers are wandb and tensorboard"),
        ("loss", "zzzz", "`gan-framework plugins losses` lists all"),
        ("loss", "hindge", "closest: hinge"),
        ("loss", "wgann", "closest: wasserstein (wgan)"),
        ("sampler", "dsr", "closest: rejection (drs)"),
        ("experiment", "stylegan5", "closest: stylegan2"),
        ("experiment", "projected", "closest: projected_gan"),
        ("experiment", "animegan", "options of experiment: `gan-framework plugins experiments` lists all"),
        ("experiment", "qwertzgan", "options of experiment: `gan-framework plugins experiments` lists all"),
    ],
)
def test_in_the_place_of_an_option_that_there_is_not_stands_what_is_right(group, typed, right):
    said = instead(group, typed)
    assert right in said
    assert len(said.split(" or ")) + said.count(",") <= 4


@pytest.mark.parametrize(
    ("typed", "value", "meant"),
    [
        ("n_critic", "5", "schedule.d_steps=5"),
        ("networks.generator.nz", "100", "prior.dim=100"),
        ("Lambda-GP", "10", "terms.gradient_penalty.weight=10, with 'term=[gradient_penalty]'"),
        ("train.epochs", "5", "train.steps=..., a batch each"),
        ("output_dir", "x", "hydra.run.dir=x"),
    ],
)
def test_settings_of_other_programs_are_known(typed, value, meant):
    assert called_otherwise(typed, value) == [meant]


def test_every_setting_that_is_proposed_for_another_programs_is_there():
    chosen = ("'strategy=[ema]'", "'term=[r1,gradient_penalty]'", "data=folder")
    config = compose([one.strip("'") for one in chosen])
    proposed = {override.strip("'").partition("=")[0] for meant in SETTINGS.values() for override in meant}
    proposed -= {"--cfg job, which prints the configuration"}
    missing = [key for key in proposed - set(groups()) if OmegaConf.select(config, key, default=None) is None]
    # Not composed here, or null by default.
    assert sorted(missing) == sorted(
        ["data.root", "data.path", "data.image_size", "hydra.run.dir", "optimizer.generator.clip"]
    )


def test_data_that_are_drawn_from_others_are_no_first_source():
    with pytest.raises(ConfigError, match=r"data.of refers to data, in .* \+data@sources.NAME=few_labels"):
        plain(compose(["data=few_labels"]))


def test_a_setting_under_the_name_of_its_group_is_found():
    with pytest.raises(ConfigError, match=r"did you mean terms.r1.weight=1\?$"):
        compose(["term=[r1]", "term.r1.weight=1"])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("loss=wgan", "loss=wasserstein"),
        ("loss=wgan,hinge", "loss=wasserstein,hinge"),
        ("experiment=sngan", "experiment=resnet"),
        ("metrics=[fid,is]", "metrics=[fid,inception_score]"),
        ("experiment=wgan", "experiment=wgan"),  # there is one of that name
        ("tracker=null", "tracker=[]"),
        ("~strategy", "strategy=[]"),
        ("++strategy=[ema]", "+strategy=[ema]"),
        ("prior=null", "~prior"),
        ("hydra.run.dir=runs/loss=wgan,seed=1", "hydra.run.dir='runs/loss=wgan,seed=1'"),
        ("data.path=~/x", "data.path='~/x'"),
        ("strategy=[ema]", "strategy=[ema]"),
    ],
)
def test_overrides_are_read_as_they_are_meant(typed, read):
    assert readable(typed) == read


def settled(*overrides):
    return without_unchosen(compose(overrides), overrides)


def test_a_typed_choice_replaces_the_experiments_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        config = settled("experiment=resnet", "strategy=[ema]")
    assert [*config.strategy] == ["ema"]
    (said,) = caplog.messages
    assert said.startswith("strategy=[ema] replaces what the experiment chooses: k_step, lr_decay, spectral_norm; ")
    assert said.endswith("'+strategy=[...]' adds to it")


def test_what_is_added_or_kept_is_no_word_worth(caplog):
    added = settled("experiment=resnet", "+strategy=[ema]")
    assert {*added.strategy} == {"spectral_norm", "k_step", "lr_decay", "ema"} and added.strategy.k_step.k == 5
    same = settled("experiment=resnet", "strategy=[spectral_norm,k_step,lr_decay,ema]")
    assert same.strategy.k_step.k == 5
    settled()
    assert not caplog.records


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("+train.epochs=3", "train.epochs: unknown setting; did you mean train.steps"),
        ("+steps=3", "steps: unknown setting; did you mean train.steps=3"),
        ("loss=[hinge,wasserstein]", "one option of loss is chosen; -m loss=hinge,wasserstein tries each"),
    ],
)
def test_what_nothing_would_read_and_what_would_be_mixed_is_refused(typed, said):
    with pytest.raises(ConfigError) as refused:
        without_unchosen(compose([typed]), [typed])
    assert said in str(refused.value)


def test_a_setting_of_what_is_not_chosen_is_refused():
    with pytest.raises(ConfigError, match=r"ema is not chosen; choose it first with 'strategy=\[ema\]'"):
        settled("+strategy.ema.decay=0.9")


def test_what_an_experiment_sets_of_its_data_goes_with_these_data_alone():
    assert settled("experiment=srgan").data.amount == 4
    other = settled("experiment=srgan", "data=digits").data
    assert other.name == "digits" and not {"task", "amount"} & {*other}
    assert settled("experiment=srgan", "data=degraded").data.task == "superres"
    assert settled("experiment=srgan", "data=digits", "data.amount=4").data.amount == 4  # refused later by its name


def test_a_setting_of_a_plugin_with_a_longer_name_is_not_taken_for_it():
    config = OmegaConf.create({"strategy": {"k": {"x": 1}, "k_step": {"name": "k_step", "k": 3}}})
    assert [*without_unchosen(config, ["strategy.k_step.k=3"]).strategy] == ["k_step"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["loss=wasserstein"], ["loss=wasserstein brings strategy weight_clipping"]),
        (["loss=wasserstein", "strategy=[]"], ["loss=wasserstein brings strategy weight_clipping"]),
        (["loss=wasserstein_gp"], ["loss=wasserstein_gp brings term gradient_penalty"]),
        (
            ["experiment=wgan_gp", "loss=hinge"],
            ["loss=hinge drops term gradient_penalty, which experiment=wgan_gp brings"],
        ),
        (
            ["experiment=wgan", "loss=wasserstein_gp"],
            [
                "loss=wasserstein_gp brings term gradient_penalty",
                "loss=wasserstein_gp drops strategy weight_clipping, which experiment=wgan brings",
            ],
        ),
        (["experiment=wgan_gp", "loss=hinge", "term=[gradient_penalty]"], []),
        (["experiment=wgan_gp", "loss=wasserstein_gp"], []),
        (["loss=hinge"], []),
        (["experiment=wgan_gp"], []),
    ],
)
def test_what_a_loss_brings_and_drops_is_said(overrides, said, caplog):
    caplog.set_level(logging.INFO, "gan_framework.config")
    say_what_comes_with_the_loss(compose(overrides), overrides)
    assert [record.getMessage() for record in caplog.records] == said


@pytest.mark.parametrize(
    ("experiment", "remedy"),
    [
        ("infogan", "choose another discriminator"),
        ("dcgan", r"set networks\.discriminator\.norm=layer or none"),
    ],
)
def test_a_penalty_beside_batch_norm_names_only_settings_that_there_are(experiment, remedy):
    config = plain(compose([f"experiment={experiment}", "loss=wasserstein_gp", "data.image_size=28"]))
    with pytest.raises(ConfigError, match=rf"couples the samples of a batch; {remedy}$"):
        build_game(config, DataShape((1, 28, 28)), torch.device("cpu"))
