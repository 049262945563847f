import pytest

from tests.data.making import encoded, picture


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_FRAMEWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def two_classes():
    """20 cats and 13 dogs."""
    return {
        f"{kind}/{i:02}.png": encoded(picture(i))
        for i in range(20)
        for kind in ("dog", "cat")
        if i % 3 or kind == "cat"
    }
