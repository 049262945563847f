"""The page in a real browser."""

import shutil

import pytest

from gan_framework.cli import sources
from gan_framework.compare import groups, page
from tests.helpers.comparing import make_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package chromium)")

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("sweep")
    for seed in range(3):
        make_run(folder / f"a{seed}", "hinge", seed, [4.0 + seed, 3.0 + seed], grid=True)
        make_run(folder / f"b{seed}", "wasserstein", seed, [14.0 + seed, 13.0 + seed], grid=True)
    make_run(folder / "c0", "<script>alert(1)</script>", 0, [20.0])
    make_run(folder / "d0", "minimax", 0, [], status="failed")
    page.write_page(groups.compare(sources.read([folder])), folder / "out.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page()
        problems = []
        tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("dialog", lambda dialog: problems.append(dialog.message))
        tab.goto((folder / "out.html").as_uri())
        yield tab, problems
        browser.close()


def first_cells(tab):
    return tab.locator("#table tbody tr td:nth-child(1)").all_text_contents()


def test_the_page_loads_without_an_error_and_draws(opened):
    tab, problems = opened
    assert problems == []
    assert first_cells(tab) == ["1", "2", "3", "4"]
    assert tab.locator("#curves .scatterlayer .trace").count() >= 3
    assert tab.locator("#coordinates .scatterlayer .trace").count() == 3
    assert "<script>alert(1)</script>" in tab.locator("#table").text_content()
    assert "not finite" in tab.locator(".failed").text_content()


def test_a_click_on_a_column_sorts_by_it(opened):
    tab, _ = opened
    header = tab.locator("#table th", has_text="last")
    header.click()
    assert first_cells(tab)[:3] == ["1", "2", "3"]
    header.click()
    assert [cell for cell in first_cells(tab) if cell != "4"] == ["3", "2", "1"]
    tab.locator("#table th", has_text="rank").click()


def test_words_filter_the_rows(opened):
    tab, _ = opened
    tab.fill("#filter", "wasserstein")
    assert first_cells(tab) == ["2"]
    tab.fill("#filter", "")
    assert len(first_cells(tab)) == 4


def test_the_samples_can_be_stepped_through_training(opened):
    tab, problems = opened
    captions = tab.locator("#grids figcaption")
    assert all("step 3" in text for text in captions.all_text_contents())
    tab.evaluate("document.getElementById('time').value = 0; document.getElementById('time').oninput()")
    assert all("step 1" in text for text in captions.all_text_contents())
    assert problems == []
