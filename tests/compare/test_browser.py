"""The page in a real browser."""

import json
import shutil

import pytest
import yaml

from gan_framework.cli import sources
from gan_framework.compare import groups, page
from gan_framework.compare.verdict import deviating
from gan_framework.storage.numbers import score
from tests.helpers.comparing import PROTOCOL, make_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package chromium)")

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def watched(browser, path):
    """Open a page; whatever goes wrong in it, or is asked for by it, is added to the list."""
    tab = browser.new_page()
    problems = []
    tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda asked: problems.append(asked.url) if asked.url.startswith("http") else None)
    tab.goto(path.as_uri())
    return tab, problems


@pytest.fixture(scope="module")
def opened(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("sweep")
    for seed in range(3):
        make_run(folder / f"a{seed}", "hinge", seed, [4.0 + seed, 3.0 + seed], grid=True)
        make_run(folder / f"b{seed}", "wasserstein", seed, [14.0 + seed, 13.0 + seed], grid=True)
    make_run(folder / "c0", "<script>alert(1)</script>", 0, [20.0])
    make_run(folder / "d0", "minimax", 0, [], status="failed")
    page.write_page(groups.compare(sources.read([folder])), folder / "out.html")
    return watched(browser, folder / "out.html")


def hovered(tab, selector, number=0):
    """Return what the note beside the pointer says when it comes to a part of a chart, at the left of it."""
    part = tab.locator(selector).nth(number)
    part.evaluate("""part => {
        const box = part.getBoundingClientRect(), place = { clientX: box.left, clientY: box.top + box.height / 2 };
        part.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, ...place }));
    }""")
    return tab.locator(f"{selector.split()[0]} .note").inner_text()


def first_cells(tab):
    return tab.locator("#table tbody tr td:nth-child(1)").all_text_contents()


def test_the_page_loads_without_an_error_and_draws(opened):
    tab, problems = opened
    assert problems == []
    assert first_cells(tab) == ["1", "2", "3", "4"]
    assert tab.locator("#curves .curve").count() == 3
    assert tab.locator("#curves .band").count() == 2  # the third group has one seed
    assert tab.locator("#coordinates .group").count() == 3
    assert tab.locator("#seeds .seed").count() == 7
    assert "<script>alert(1)</script>" in tab.locator("#table").text_content()
    assert "not finite" in tab.locator(".failed").text_content()
    pictures = tab.locator("#grids img")
    assert pictures.count() == 2
    assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth === 16)")


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


def test_the_curves_say_their_values_under_the_pointer(opened):
    tab, _ = opened
    lines = hovered(tab, "#curves .chart > svg").split("\n")
    assert lines[0] == "576 images"  # the first that were scored, at step 9
    assert lines[1] == "5 ± 1 1. loss.name=hinge"
    assert lines[2] == "15 ± 1 2. loss.name=wasserstein"
    tab.locator("#curves .chart > svg").scroll_into_view_if_needed()
    box = tab.locator("#curves .chart > svg").bounding_box()
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 50)
    assert tab.locator("#curves .note").inner_text().startswith("640 images\n4 ± 1 1. loss.name=hinge")
    tab.mouse.move(0, 0)
    assert tab.locator("#curves .note").is_hidden()


def test_the_dots_say_their_seeds(opened):
    tab, _ = opened
    assert hovered(tab, "#seeds .row").split("\n") == ["4 ± 1 1. loss.name=hinge", "seeds: 3, 4, 5"]
    assert hovered(tab, "#coordinates .group").startswith("20 3. ")  # the best lie on top, so they come last


def test_a_click_on_the_legend_hides_a_curve_and_the_axis_follows(opened):
    tab, _ = opened
    ticks = lambda: [float(text) for text in tab.locator("#curves .tick[text-anchor=end]").all_text_contents()]  # noqa: E731
    before = ticks()
    entry = tab.locator("#curves .legend button").nth(2)
    entry.click()
    assert tab.locator("#curves .curve").count() == 2
    assert entry.get_attribute("aria-pressed") == "false"
    assert max(ticks()) < max(before)
    entry.click()
    assert (tab.locator("#curves .curve").count(), ticks()) == (3, before)
    entry.dblclick()
    assert tab.locator("#curves .curve").count() == 1
    entry.dblclick()
    assert tab.locator("#curves .curve").count() == 3


def test_dragging_over_the_curves_looks_at_a_part(opened):
    tab, problems = opened
    tab.select_option("#figure", label="train/generator/adversarial")
    tab.locator("#curves .chart > svg").scroll_into_view_if_needed()
    box = tab.locator("#curves .chart > svg").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 100)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100)
    tab.mouse.up()
    assert hovered(tab, "#curves .chart > svg").startswith("512 images")
    tab.locator("#curves .chart > svg").dblclick()
    assert hovered(tab, "#curves .chart > svg").startswith("64 images\n1 ± 0 1. loss.name=hinge")
    tab.check("#log")
    assert "0.1" in tab.locator("#curves .tick[text-anchor=end]").all_text_contents()
    tab.uncheck("#log")
    tab.select_option("#figure", label="eval/fid_classifier")
    assert problems == []


def test_the_page_is_read_on_a_phone_in_the_dark_and_on_paper(opened):
    tab, problems = opened
    colour = "getComputedStyle(document.querySelector('#curves .tick')).fill"
    tab.emulate_media(color_scheme="light")
    light = tab.evaluate(colour)
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(colour) != light
    tab.emulate_media(media="print")
    assert tab.evaluate(colour) == light
    assert tab.locator("#filter").is_hidden()
    assert tab.locator("#curves .legend button").first.is_visible()
    tab.emulate_media(color_scheme="light", media="screen")
    size = tab.viewport_size
    tab.set_viewport_size({"width": 430, "height": 800})
    for _ in range(100):  # what polls by a text of a script is refused by the page's policy
        if tab.evaluate("document.querySelector('#curves .chart > svg').viewBox.baseVal.width") < 430:
            break
        tab.wait_for_timeout(100)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 430
    assert tab.locator("#curves .legend button").first.bounding_box()["width"] <= 430
    tab.set_viewport_size(size)
    assert problems == []


def test_numbers_are_written_as_in_the_terminal(opened):
    tab, _ = opened
    values = [88.97786, 1.00017, 8.0, -0.387, 0.0714463, 0.00043, 3.14159e-5, 5.371e-12, -0.0, 999.96, 1234.51, 0.0395,
              123456.7, 1.5e9, -677.7, 1e7, 9.9999e-5, 0.000099999999, 1e-8, 9999.96]  # fmt: skip
    assert tab.evaluate("values => values.map(score)", values) == [score(value) for value in values]
    deviations = [0.589, 1.0, 28.31, 1234.51, 3.1e-5, 5e-12, 0.00043, 999.96, 0.1 + 0.2]
    assert tab.evaluate("values => values.map(deviating)", deviations) == [deviating(one) for one in deviations]
    assert tab.evaluate("[0.0002, 1e-7, 64, 0.00042604240005950246].map(setting)") == [
        "0.0002",
        "1e-7",
        "64",
        "0.000426",
    ]


# -- pages of runs that somebody else made ---------------------------------------------------------

PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "comment": "<!--<script>",
    "end": "</script><img src=x onerror=alert(1)>",
    "span": '<span style="background:url(https://evil.test/x)">a</span>',
    "link": '<a href="https://evil.test/y">click</a>',
    "javascript": '<a href="javascript:alert(1)">click</a>',
    "image": "<img src=https://evil.test/z onerror=alert(1)>",
    "svg": "<svg/onload=alert(1)>",
    "bold": "<b>bold</b><br>&lt;i&gt;",
    "template": "{{ 7 * 7 }}{% raw %}%{x}${alert(1)}`",
    "prototype": "__proto__",
    "constructor": "constructor",
    "separators": "a\u2028b\u2029c\x00d\u202e",
    "quotes": "\"'`onmouseover=alert(1) x=\\",
}
PLACES = ("setting name", "setting value", "metric", "player", "score", "run", "error")


def attacked(folder, payload, places=PLACES):
    """Write three groups, of which the best and one that failed have the payload in these places."""
    score = payload if "score" in places else "fid_classifier"
    name = payload.replace("/", "\u2215").replace("\x00", "") if "run" in places else "bad"
    protocol = PROTOCOL | {"metrics": {score: {}}}
    for number, (run, status) in enumerate({"good": "finished", "fine": "finished", f"x{name}": "finished",
                                            f"y{name}": "failed"}.items()):  # fmt: skip
        made = make_run(folder / run, run[:1], 0, [3.0, 2.0 + number % 3], status=status, protocol=protocol, grid=True)
        config = yaml.safe_load((made / "config.yaml").read_text())
        summary = json.loads((made / "summary.json").read_text())
        lines = [json.loads(line) for line in (made / "metrics.jsonl").read_text().splitlines()]
        for metrics in (summary["metrics"], *(line["metrics"] for line in lines)):
            if "eval/fid_classifier" in metrics:
                metrics[f"eval/{score}"] = metrics.pop("eval/fid_classifier")
        summary["best"] |= {"metric": score}
        summary["higher_is_better"] = {score: False}
        if run[0] in "xy":
            if "setting name" in places:
                config[payload] = 1
            if "setting value" in places:
                config["loss"]["name"] = payload
            if "metric" in places:
                for line in lines:
                    line["metrics"][f"aa/{payload}"] = line["step"]
                    line["metrics"][payload] = line["step"]
            if "player" in places:
                summary["updates"][payload] = 7
            if "error" in places and status == "failed":
                summary["error"] = payload
        (made / "config.yaml").write_bytes(json.dumps(config).encode())
        (made / "summary.json").write_text(json.dumps(summary))
        (made / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def shown(payload):
    """Return how the page shows a payload: what cannot be seen is escaped."""
    escapes = {"\u2028": r"\u2028", "\u2029": r"\u2029", "\x00": r"\x00", "\u202e": r"\u202e"}
    return payload.translate(str.maketrans(escapes))


def check(browser, folder, payload, places):
    from gan_framework.compare.records import Record

    attacked(folder, payload, places)
    runs = sources.read([folder])
    assert all(isinstance(run, Record) for run in runs), runs
    page.write_page(groups.compare(runs), folder / "out.html")
    tab, problems = watched(browser, folder / "out.html")
    rows = tab.locator("#table tbody tr").count()
    options = tab.locator("#figure option").all_text_contents()
    for i in range(len(options)):
        tab.select_option("#figure", index=i)
        assert hovered(tab, "#curves .chart > svg")
    for i in range(3):
        assert hovered(tab, "#coordinates .group", i)
        assert hovered(tab, "#seeds .row", i)
    assert problems == []
    assert rows >= 3
    assert tab.locator("#grids img").count() >= 3
    assert tab.locator("svg a, #table a, .failed a, .failed img, table img, svg image, svg b, table b").count() == 0
    text = shown(payload)
    table = tab.locator("#table").text_content()
    for place in ("setting name", "setting value", "player"):
        assert place not in places or text in table, place
    assert "metric" not in places or text in options and f"aa/{text}" in options
    assert "score" not in places or text in tab.locator("h1").text_content()
    if "error" in places:
        assert f"failed: {text}" in tab.locator(".failed").last.text_content()
    if "setting value" in places:
        labels = tab.locator("#coordinates .label").all_text_contents()
        assert any(label and label.rstrip("…") in text for label in labels if label not in ("g", "f")), labels
        legend = " ".join(tab.locator("#curves .legend span").all_text_contents())
        assert " ".join(text.split())[:30] in " ".join(legend.replace("\u00a0", " ").split()), legend
    tab.close()


@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_of_a_run_is_markup(browser, tmp_path, name):
    check(browser, tmp_path, PAYLOADS[name], PLACES)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_of_a_run_is_markup_in_any_one_place(browser, tmp_path, name, place):
    check(browser, tmp_path, PAYLOADS[name], (place,))


def test_the_page_may_run_its_own_scripts_alone(browser, tmp_path):
    """If markup came through all the same, the browser itself would refuse what it asks for."""
    make_run(tmp_path / "a", "hinge", 0, [1.0])
    page.write_page(groups.compare(sources.read([tmp_path])), tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert text.index("Content-Security-Policy") < text.index("<style>")
    holes = (
        "<script>alert(1)</script><img src=https://evil.test/z onerror=alert(2)><iframe src=https://evil.test></iframe>"
    )
    (tmp_path / "out.html").write_text(text.replace("<h1>", f"{holes}<h1>"))
    tab, problems = watched(browser, tmp_path / "out.html")
    assert first_cells(tab) == ["1"]
    refused = [problem for problem in problems if "Content Security Policy" in problem]
    # What the browser refused to ask for is reported as asked for, too.
    assert len(refused) >= 4
    assert {problem for problem in problems if problem not in refused} <= {"https://evil.test/z", "https://evil.test/"}
    tab.close()
