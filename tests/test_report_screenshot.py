"""The report in a browser: headless Chromium draws it, at two widths, light and dark."""

import functools
import json
import re
import shutil
import string
import subprocess

import numpy as np
import pytest
import toy_report
from PIL import Image

from report.page import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome on the PATH"),
]

NARROW = 500  # Pixels: Chromium opens no narrower window.
DARK = "--blink-settings=preferredColorScheme=0"
# Says where everything is; put into a copy of the page, which has no script of its own.
MEASURE = """<script>
const box = (element) => {
  const {left, top, width, height} = element.getBoundingClientRect();
  return [left, top, width, height];
};
const boxes = (selector) => [...document.querySelectorAll(selector)].map(box);
document.body.dataset.measured = JSON.stringify({
  charts: Object.fromEntries(
    [...document.querySelectorAll("svg")].map((svg) => [svg.id, box(svg)])),
  cards: boxes(".card"),
  pictures: boxes(".mistakes img"),
  loaded: [...document.images].every((image) => image.naturalWidth > 0),
  width: document.documentElement.scrollWidth,
  height: document.documentElement.scrollHeight,
});
</script>"""
CHARTS = {
    *(f"curve-{index}" for index in range(6)),
    *("positions", "confusion", "reliability", "bins", "coverage"),
}


def chromium(folder, *arguments):
    """Runs it on `folder`/page.html and returns what it prints."""
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}",
            *arguments,
        ],
        check=True,
        capture_output=True,
        timeout=120,
        text=True,
    ).stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A folder with the report of 5,000 captchas, 1 % of them misread."""
    folder = tmp_path_factory.mktemp("report")
    write_report(
        folder / "page.html",
        toy_report.made_up(),
        rows=toy_report.made_up_rows(),
        sections=toy_report.SECTIONS,
        title="A report",
        alphabet=toy_report.DIGITS,
    )
    return folder


@functools.cache
def measure(folder, width):
    """Where everything is, in pixels, in a window of `width`."""
    text = (folder / "page.html").read_text()
    text = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    (folder / "measured.html").write_text(text.replace("</body>", f"{MEASURE}</body>"))
    dom = chromium(
        folder, f"--window-size={width},900", "--dump-dom", f"file://{folder / 'measured.html'}"
    )
    measured = re.search('data-measured="([^"]*)"', dom)[1]
    return {**json.loads(measured.replace("&quot;", '"')), "dom": dom}


@functools.cache
def screenshot(folder, width, *arguments):
    """uint8 [height, width, 3]: the whole page."""
    height = measure(folder, width)["height"]
    path = folder / "page.png"
    chromium(
        folder,
        f"--window-size={width},{height}",
        f"--screenshot={path}",
        *arguments,
        f"file://{folder / 'page.html'}",
    )
    return np.asarray(Image.open(path).convert("RGB"))


def part(pixels, box):
    left, top, width, height = (round(value) for value in box)
    return pixels[top : top + height, left : left + width]


def ink(pixels):
    """The share of pixels that differ clearly from the most frequent colour."""
    colours, counts = np.unique(codes(pixels), return_counts=True)
    ground = int(colours[counts.argmax()])
    ground = (ground >> 16, ground >> 8 & 255, ground & 255)
    return float((np.abs(pixels.astype(int) - ground).max(axis=-1) > 24).mean())


def codes(pixels):
    """A number a pixel, equal for equal colours."""
    return pixels.astype(int) @ [1 << 16, 1 << 8, 1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, NARROW])
def test_charts_and_pictures_are_drawn_where_they_should_be(page, width, dark):
    measured = measure(page, width)
    assert set(measured["charts"]) == CHARTS
    assert len(measured["pictures"]) == 50
    assert measured["loaded"]
    for text in ("A report", "98.94", "Most frequent confusions", "The worst errors", "max_steps"):
        assert text in measured["dom"]
    assert measured["width"] <= width  # Nothing sticks out.
    pixels = screenshot(page, width, *([DARK] if dark else []))
    assert pixels.shape == (measured["height"], width, 3)
    corner = pixels[2, 2].mean()
    assert corner < 60 if dark else corner > 220
    for name, box in measured["charts"].items():
        left, top, chart_width, chart_height = box
        # Two columns on a wide page, one on a narrow one.
        assert chart_width > 0.3 * width, name
        assert any(
            card[0] <= left
            and card[1] <= top
            and left + chart_width <= card[0] + card[2] + 1
            and top + chart_height <= card[1] + card[3] + 1
            for card in measured["cards"]
        ), f"{name} is in no card"
        assert 0.01 < ink(part(pixels, box)) < 0.9, name
    for box in measured["pictures"]:
        assert len(np.unique(codes(part(pixels, box)))) > 20


def test_cards_do_not_lie_on_each_other(page):
    for width in (1200, NARROW):
        cards = measure(page, width)["cards"]
        for index, (left, top, card_width, card_height) in enumerate(cards):
            for other_left, other_top, other_width, other_height in cards[index + 1 :]:
                beside = left + card_width <= other_left or other_left + other_width <= left
                above = top + card_height <= other_top or other_top + other_height <= top
                assert beside or above


def test_the_chart_of_the_loss_has_both_its_curves(page):
    """In the colours of the page, each through most of the chart's width."""
    measured = measure(page, 1200)
    pixels = part(screenshot(page, 1200), measured["charts"]["curve-0"])
    for colour in ((0xC8, 0x73, 0x1C), (0x1F, 0x5F, 0xBF)):  # --train and --eval.
        near = np.abs(pixels.astype(int) - colour).max(axis=-1) < 30
        columns = np.flatnonzero(near.any(axis=0))
        assert len(columns) > 0.5 * pixels.shape[1]


def test_62_classes_stay_legible_and_are_scrolled_in_their_card(tmp_path):
    alphabet = string.digits + string.ascii_letters
    write_report(
        tmp_path / "page.html",
        toy_report.made_up(2000, alphabet=alphabet, num_positions=6, error_rate=0.2, pictures=3),
        rows=[],
        sections={},
        title="62",
        alphabet=alphabet,
    )
    measured = measure(tmp_path, NARROW)
    assert measured["width"] <= NARROW
    # 26 pixels a class, however narrow the page.
    assert measured["charts"]["confusion"][2] == pytest.approx(66 + 62 * 26 + 66)


def test_the_page_can_be_printed(page):
    path = page / "page.pdf"
    chromium(page, f"--print-to-pdf={path}", f"file://{page / 'page.html'}")
    pages = len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))
    assert 3 <= pages <= 10
