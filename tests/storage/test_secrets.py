"""Settings hold no secrets, those of the environment are replaced, other values are left as they are."""

import json

import pytest

from gan_framework.errors import ConfigError
from gan_framework.storage import files
from gan_framework.storage.secrets import mask, mask_settings, refuse, refuse_settings

RANDOM = "hf_aB3dEfGh1jKlMn0p"
NAMES = ["PGPASSWORD", "SSHPASS", "MYSQL_PWD", "passwd", "passphrase", "apiToken", "wandb-api-key", "GH_PAT", "token"]
NAMES += [
    "db_password",
    "aws_secret_access_key",
    "private_key",
    "OPENAI_API_KEYS",
    "api_tokens",
    "credentials",
    "secret",
]
NAMES += ["secret", "password1", "API_KEY_2", "apikey", "HF_TOKEN"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"api_key": "abc"}, "api_key"),
        ({"data": {"token": "t", "num_tokens": 3}}, "data.token"),
        ({"data": {"auth": [{"db_password": "p"}]}}, "data.auth.0.db_password"),
        ({"aws_secret_access_key": "xyz"}, "aws_secret_access_key"),
    ],
)
def test_settings_named_like_secrets_are_refused(settings, named):
    with pytest.raises(ConfigError, match=f"^{named}: ") as raised:
        refuse_settings(settings)
    assert not any(value in str(raised.value).split() for value in ("abc", "t", "p", "xyz"))


def test_what_is_no_secret_is_no_trouble():
    refuse_settings({"data": {"num_tokens": 3, "tokens": "words", "token": None}, "secret": "", "keys": ["a"]})
    refuse(["data.tokens=words", "+data.token=null", "model=mlp", "-m", "~prior"])


def test_an_override_named_like_a_secret_is_refused():
    with pytest.raises(ConfigError, match="^data.api_key: "):
        refuse(["model=mlp", "++data.api_key=abc"])


def test_what_the_environment_holds_is_masked_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "hunter2hunter2")
    monkeypatch.setenv("LONGER_API_KEY", "hunter2hunter2-and-more")
    monkeypatch.setenv("SHORT_TOKEN", "cpu")
    monkeypatch.setenv("EDITOR", "some-editor")
    assert mask(["x=hunter2hunter2-and-more", ("hunter2hunter2/", 1.5), "cpu", "some-editor"]) == [
        "x=***",
        ["***/", 1.5],
        "cpu",
        "some-editor",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["abc", 12345678, ["abc"], [12345678]])
def test_whatever_is_named_like_a_secret_is_refused_and_masked(name, value):
    with pytest.raises(ConfigError, match=f"^data.{name}: "):
        refuse_settings({"data": {name: value}})
    written = f"[{value[0]}]" if isinstance(value, list) else value
    with pytest.raises(ConfigError, match=f"^data.{name}: ") as raised:
        refuse([f"+data.{name}={written}"])
    assert "12345678" not in str(raised.value) and "abc" not in str(raised.value)
    assert mask({name: value, "n": 3}) == {name: "***", "n": 3}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 512) for name in ("num_tokens", "max_tokens", "tokens", "token", "pad_token", "tokens_per_batch")),
        *((name, "words") for name in ("tokens", "tokenizer", "token_type", "vocabulary", "keys", "key", "pass")),
        *(("eos_token", value) for value in ("<eos>", "[SEP]", 3)),
        *(("secret", value) for value in (None, "", True, False)),
        ("tokens", ["the", "a"]),
        ("tokens", "data/tokens_v2_2024_train.txt"),
        ("tokenizer", "bert-base-uncased-v2"),
        ("token", {"name": "embedding", "dim": 64}),
        ("compass", "north"),
        ("secretary", "Ann"),
        ("file_pat", "*.png"),
        ("forward_pass", "first"),
        ("pwd", "/home/me"),
    ],
)
def test_what_only_sounds_like_a_secret_is_neither_refused_nor_masked(name, value):
    refuse_settings({"data": {name: value}})
    assert mask({name: value}) == {name: value}
    if isinstance(value, (str, int)):
        refuse([f"data.{name}={value}", f"data.{name}=[{value}]"])


@pytest.mark.parametrize("name", ["tokens", "eos_token", "pass", "pat"])
def test_what_may_be_a_secret_is_one_if_it_looks_random(name):
    with pytest.raises(ConfigError, match=f"^{name}: "):
        refuse_settings({name: RANDOM})


@pytest.mark.parametrize(
    "override", ["+data={password: hunter2}", "data={a: {token: [hunter2]}}", '+x={"api_key": hunter2, n: 3}']
)
def test_a_secret_inside_of_braces_is_refused(override):
    with pytest.raises(ConfigError) as raised:
        refuse([override])
    assert "hunter2" not in str(raised.value)


def test_notes_may_speak_of_secrets():
    refuse(["tracker.wandb.notes='first, token: explained'"])


@pytest.mark.parametrize("name", [*NAMES, "SMTP_PASS", "PROXY_AUTH"])
def test_the_environments_secrets_are_found_by_their_names(monkeypatch, name):
    monkeypatch.setenv(name, "hunter2-hunter2")
    assert mask("see hunter2-hunter2.") == "see ***."


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "SSH_AUTH_SOCK", "NUM_TOKENS", "TOKENIZERS", "TOKENS", "COMPASS"])
def test_other_variables_are_no_secrets(monkeypatch, name):
    monkeypatch.setenv(name, "/home/somebody")
    assert mask("in /home/somebody") == "in /home/somebody"


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("postgresql://me:hunter2hunter2@host/db", "hunter2hunter2"),
        ("postgresql://me:hunter2%40hunter2@host/db", "hunter2@hunter2"),
        ("https://me:hunter2hunter2@proxy:8080", "hunter2hunter2"),
        ("host=db user=me password=hunter2hunter2", "hunter2hunter2"),
        ("Server=db;Password=hunter2hunter2;", "hunter2hunter2"),
    ],
)
def test_passwords_inside_of_variables_of_any_name_are_secrets(monkeypatch, value, secret):
    monkeypatch.setenv("DATABASE_URL", value)
    assert mask(f"it is {secret}") == "it is ***"
    assert mask("me, host, db, proxy") == "me, host, db, proxy"


def test_a_secret_is_found_in_other_spellings_and_in_parts(monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", 'a "quoted" pass/word')
    monkeypatch.setenv("API_TOKENS", f"{RANDOM[3:]}a,{RANDOM[3:]}b")
    assert mask('{"x": "a \\"quoted\\" pass/word"}') == '{"x": "***"}'
    assert mask("?x=a%20%22quoted%22%20pass%2Fword&") == "?x=***&"
    assert mask(f"only {RANDOM[3:]}b") == "only ***"


def test_json_stays_json_whatever_is_masked(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_PASSWORD", "12345678")
    files.write_json(tmp_path / "file", {"seed": 12345678, "x": 0.12345678, "of 12345678": ["12345678"]})
    assert json.loads((tmp_path / "file").read_text()) == {"seed": 12345678, "x": 0.12345678, "of ***": ["***"]}


def test_settings_that_are_printed_are_masked_line_by_line():
    text = "a:\n  password: hunter2\n  url: https://t@h\n  token: 3\n  api_key: null\n  n: 1\n"
    shown = "a:\n  password: ***\n  url: https://***@h\n  token: 3\n  api_key: null\n  n: 1\n"
    assert mask_settings(text) == shown


def test_a_password_in_a_url_of_the_command_line_is_masked_by_itself_too(monkeypatch):
    monkeypatch.setattr("sys.argv", ["run.py", "hydra.sweeper.storage=postgresql://me:hunter2hunter2@host/db", "x=1"])
    assert mask("no connection with hunter2hunter2") == "no connection with ***"
