"""A saved run's configuration: composed again it is itself, and every part of it can be chosen or set anew."""

import pytest
import yaml

import gan_framework.sweeps.naming  # noqa: F401 (registers the resolvers)
from gan_framework.config import saved
from gan_framework.config.compose import compose, plain
from gan_framework.errors import ConfigError


def original(*overrides):
    return plain(compose(overrides))


def again(config, *overrides, **train):
    return plain(compose(overrides, name=saved.offer(config, train)))


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["experiment=infogan_tutorial"],  # a third network with an optimizer of its own
        ["experiment=vae", "prior.dim=7"],
        ["experiment=dcgan_r3gan", "data.image_size=16"],
        ["experiment=mixture_2d"],
        ["experiment=conv_pretrained", "strategy=[lr_decay,ema]", "train.steps=77", "strategy.lr_decay.steps=5"],
        ["experiment=autoencoder", "tracker=[]", "metrics=[]", "term=[r1,r2]", "optimizer=sgd"],
    ],
    ids=lambda overrides: " ".join(overrides) or "defaults",
)
def test_composed_again_it_is_itself_in_the_same_order(overrides):
    config = original(*overrides)
    # Weights are drawn, and strategies applied, in the order of the mapping.
    assert yaml.safe_dump(again(config), sort_keys=False) == yaml.safe_dump(config, sort_keys=False)


def test_what_follows_another_setting_follows_it_again():
    config = original("data.image_size=16", "strategy=[lr_decay,momentum_ramp]", "strategy.momentum_ramp.steps=3")
    changed = again(config, "data.image_size=32", "prior.dim=5", "train.steps=900")
    assert changed["networks"]["generator"]["image_size"] == changed["networks"]["discriminator"]["image_size"] == 32
    assert changed["networks"]["generator"]["latent_dim"] == 5
    assert changed["strategy"]["lr_decay"]["steps"] == 900
    assert changed["strategy"]["momentum_ramp"]["steps"] == 3  # had a value of its own


def test_an_option_takes_the_place_of_the_runs_part_and_nothing_else():
    config = original("loss=wasserstein_gp", "strategy=[ema]", "strategy.ema.decay=0.9", "optimizer.generator.lr=0.5")
    assert again(config, "loss=hinge") == config | {"loss": {"name": "hinge"}}
    assert list(again(config, "strategy=[k_step]")["strategy"]) == ["k_step"]
    both = again(config, "strategy=[_saved,k_step]")["strategy"]
    assert both["ema"]["decay"] == 0.9 and both["k_step"]["name"] == "k_step"
    assert again(config, "generator=mlp")["networks"] == config["networks"] | {
        "generator": original("generator=mlp")["networks"]["generator"]
    }
    assert again(config, "sampler=rejection")["sampler"]["name"] == "rejection"
    assert again(config, "debug=smoke")["train"]["steps"] == 2


def test_settings_that_are_not_the_runs_are_given_on_top():
    config = original("train.resume=null", "train.resume_changed=true")
    assert again(config, resume="auto", resume_changed=False)["train"] == config["train"] | {
        "resume": "auto",
        "resume_changed": False,
    }


@pytest.mark.parametrize(
    "text", ["${oc.env:HOME}", "a\\${seed}", "\\\\${x", "${seed}", "x}${seed}\\", "???", "[1,2]", "~/x", "=1"]
)
def test_nothing_in_it_is_a_reference(text):
    config = original("debug=smoke", "data=folder", "extractor=raw")
    config["data"]["path"] = text
    config["networks"]["generator"]["name"] = text
    if text == "???":  # what OmegaConf calls missing
        with pytest.raises(ConfigError, match="Missing mandatory value"):
            again(config)
    else:
        assert again(config) == config


def test_what_another_version_had_is_left_out_and_what_is_new_is_the_default():
    config = original()
    older = {**config, "train": {**config["train"], "gone": 3}, "hydra": {"run": {"dir": "/x"}}, "removed": 1}
    del older["sampler"], older["train"]["resume_changed"]
    assert again(older) == config


@pytest.mark.parametrize("override", ["train.stepz=3", "los=hinge", "loss=hinj", "train.steps=many"])
def test_wrong_overrides_are_explained_as_on_any_command_line(override):
    with pytest.raises(ConfigError) as own:
        again(original(), override)
    with pytest.raises(ConfigError) as usual:
        original(override)
    assert str(own.value) == str(usual.value)


@pytest.mark.parametrize("override", ["model=mlp", "+experiment=wgan", "search=dcgan"])
def test_an_option_that_means_nothing_beside_it_is_refused(override):
    with pytest.raises(ConfigError, match=r"choose its parts"):
        saved.refuse_several_parts(["seed=1", override], "RUN")
    saved.refuse_several_parts(["model=null", "model.x=3", "loss=hinge"], "RUN")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: hinge\n", "is not the configuration of a run: it has no settings under `train`"),
        ("train: 3\ndata: {}\nnetworks: {}\n", "no settings under `train`"),
        ("!!python/object/apply:os.system [ls]\n", "has the tag"),
        ("a: [\n", "config.yaml is no YAML"),
        ("train: {}\ndata: {}\nnetworks: {generator: x}\n", 'networks.generator is "x", not a group of settings'),
        ("train: {}\ndata: {}\nnetworks: {}\nterms: true\n", "terms is true, not a group of settings"),
        ("train: {}\ndata: {name: digits, defaults: [/x]}\nnetworks: {}\n", "data.defaults is not a setting of a run"),
    ],
)
def test_a_file_of_somebody_elses_is_refused_with_the_reason(tmp_path, text, reason):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=reason.replace("(", r"\(")) as error:
        saved.read(tmp_path / "config.yaml")
    assert str(tmp_path) in str(error.value)
    with pytest.raises(ConfigError, match="there is no file"):
        saved.read(tmp_path / "other.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match=r"link.yaml is a symbolic link and not a regular file"):
        saved.read(tmp_path / "link.yaml")


def test_what_a_secret_was_left_out_of_is_named(caplog):
    saved.warn_of_masked({"tracker": {"wandb": {"project": "for-***"}}, "seed": 3})
    assert [record.getMessage().partition(" because")[0] for record in caplog.records] == [
        "tracker.wandb.project was saved as for-***"
    ]
