"""The report as a file: well formed, whole, alone, and equal for equal inputs."""

import base64
import dataclasses
import html.parser
import io
import re
import string

import numpy as np
import pytest
import toy_report
from PIL import Image

from report.page import report_page, write_report
from report.page_style import _DARK, _LIGHT

NBSP = "\N{NO-BREAK SPACE}"
VOID = {"meta", "img", "br"}
LETTERS = string.digits + string.ascii_letters
NASTY = "<>&\"' é中א"

# Arguments of `made_up`, and the alphabet.
CASES = {
    "default": {},
    "one": {"n": 1, "error_rate": 0},
    "one_wrong": {"n": 1, "error_rate": 1},
    "all_right": {"n": 100, "error_rate": 0},
    "all_wrong": {"n": 100, "error_rate": 1.1},
    "one_character": {"n": 100, "num_positions": 1},
    "ten_positions": {"n": 100, "num_positions": 10},
    "varying_length": {"n": 300, "num_positions": 6, "blank": True, "error_rate": 0.3},
    "letters": {"n": 500, "alphabet": LETTERS, "error_rate": 0.2},
    "nasty": {"n": 500, "alphabet": NASTY, "error_rate": 0.2, "blank": True},
}


class Page(html.parser.HTMLParser):
    """Reads a page strictly: every element closed, in order, no attribute twice."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.elements if name in attrs]


def page_of(collected, *, rows=(), sections=None, title="T", alphabet=toy_report.DIGITS):
    return report_page(
        collected, rows=rows, sections=sections or {}, title=title, alphabet=alphabet
    )


def made_up_page(case):
    options = CASES[case]
    return page_of(
        toy_report.made_up(**options),
        rows=toy_report.made_up_rows(2000),
        sections=toy_report.SECTIONS,
        title=f"Report: {case}",
        alphabet=options.get("alphabet", toy_report.DIGITS),
    )


@pytest.fixture(scope="module")
def default_page():
    return made_up_page("default")


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_well_formed(case):
    text = made_up_page(case)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    identities = page.attributes("id")
    assert len(identities) == len(set(identities))
    for reference in page.attributes("aria-labelledby"):
        assert set(reference.split()) <= set(identities)
    for link in page.attributes("href"):
        assert link.removeprefix("#") in identities
    # Numbers that are none would be written as they are.
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    assert not re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', re.sub('base64,[^"]*', "", text))


@pytest.mark.parametrize("case", CASES)
def test_the_page_needs_no_network_and_no_script(case):
    text = made_up_page(case)
    page = Page(text)
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "link", "iframe", "object", "embed", "base", "form", "use", "image"}
    )
    assert all(source.startswith("data:image/png;base64,") for source in page.attributes("src"))
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {
        f"#{identity}" for identity in page.attributes("id")
    }
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert "default-src 'none'" in page.attributes("content")[0]


def test_equal_inputs_give_equal_bytes(tmp_path):
    for name in "ab":
        write_report(
            tmp_path / name,
            toy_report.made_up(300, error_rate=0.1),
            rows=toy_report.made_up_rows(),
            sections=toy_report.SECTIONS,
            title="T",
            alphabet=toy_report.DIGITS,
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "M" / "report.html"
    arguments = {"rows": [], "sections": {}, "title": "T", "alphabet": toy_report.DIGITS}
    write_report(path, toy_report.made_up(10), **arguments)
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_report(path, toy_report.made_up(20), **arguments)
    assert path.read_bytes() == before


def test_the_headline_stands_beside_chance_with_its_interval(default_page):
    text = Page(default_page).text.replace(NBSP, " ")
    # 4,947 of 5,000; Wilson's interval (0.98616, 0.99189).
    assert "98.94 %95 % interval 98.62 % to 99.19 %, n = 5,000guessing: 1 in 10,000" in text
    assert "guessing: 1 in 10Accept rate" in text
    assert "of 10,000 captchas like these it misreads about 106." in text
    assert "81 to 138" in text
    assert "Guessing would misread 9,999." in text


CHANCE = {
    "not_above_chance": ({"n": 5, "error_rate": 1.1, "num_positions": 1}, "nothing shows that"),
    "characters_alone": ({"n": 500, "error_rate": 1.1}, "single characters it reads better"),
    "far_above": ({"n": 500, "alphabet": LETTERS}, "Guessing would misread practically all"),
}


@pytest.mark.parametrize("case", CHANCE)
def test_the_headline_says_what_chance_explains(case):
    options, sentence = CHANCE[case]
    collected = toy_report.made_up(**options, pictures=0)
    assert sentence in page_of(collected, alphabet=options.get("alphabet", toy_report.DIGITS))


def test_chance_is_uniform_where_the_model_says_nothing_of_it():
    collected = dataclasses.replace(toy_report.made_up(100, pictures=0), chance={})
    assert "guessing: 1 in 10,000" in page_of(collected)


def test_the_accept_rate_says_how_uncertain_it_is(default_page):
    text = Page(default_page).text.replace(NBSP, " ")
    assert "At 99.9 %: 4 errors among 4,413 accepted." in text
    assert "may be as low as 99.77 %" in text
    # The least n with n / (n + 1.96 ** 2) of 0.999 or more: 999 * 3.8415 = 3837.6.
    assert "it takes 3,838 accepted captchas to show 99.9 %" in text


def test_no_accept_rate_is_said_aloud():
    text = Page(page_of(toy_report.made_up(50, error_rate=1.1, pictures=0))).text
    assert "no threshold reaches it" in text
    assert "At no threshold are" in text


def test_ece_says_its_bins_and_its_source(default_page):
    text = Page(default_page).text
    assert "15 bins of confidence of equal width" in text
    assert "Guo et al., 2017, arXiv:1706.04599" in text


def cards(page):
    return page.split('<ol class="mistakes">')[1].split("</ol>")[0].split("<li ")[1:]


def test_the_worst_errors_are_the_most_confident_ones(default_page):
    collected = toy_report.made_up()
    found = cards(default_page)
    assert len(found) == 50
    for card, mistake in zip(found, collected.mistakes, strict=True):
        content = re.search(r'src="data:image/png;base64,([^"]*)"', card)[1]
        picture = Image.open(io.BytesIO(base64.b64decode(content)))
        np.testing.assert_array_equal(np.asarray(picture), mistake.image)
        truth = "".join(map(str, mistake.labels))
        read = "".join(map(str, mistake.digits))
        assert f"truth{truth}read as{read}confidence" in Page(f"<li {card}").text
    confidences = [float(re.search(r"<dd>([\d.]+)\xa0%", card)[1]) for card in found]
    assert confidences == sorted(confidences, reverse=True)
    assert "The 50 worst of 53 misread captchas" in default_page


def test_all_errors_are_shown_if_they_are_few():
    text = page_of(toy_report.made_up(100, error_rate=0.03, seed=1))
    misread = int((~toy_report.made_up(100, error_rate=0.03, seed=1).right).sum())
    assert 0 < misread == len(cards(text))
    assert f"All {misread} misread captcha" in text


def test_without_errors_a_sentence_says_so():
    text = page_of(toy_report.made_up(100, error_rate=0))
    assert "There are none: all of 100 captchas were read right." in text
    assert "There are none: every character was read right." in text
    assert "<img" not in text


def test_a_wrong_position_is_marked_and_a_missing_character_is_a_blank():
    collected = toy_report.made_up(2, alphabet="ab", num_positions=3, blank=True, pictures=0)
    first = toy_report.made_up(1, error_rate=1).mistakes[0]
    mistake = dataclasses.replace(
        first, labels=np.array([0, 1, 2]), digits=np.array([0, 2, 2]), confidence=0.5
    )
    labels = np.array([[0, 1, 2], [0, 0, 0]])
    collected = dataclasses.replace(
        collected, labels=labels, digits=np.array([[0, 2, 2], [0, 0, 0]]), mistakes=(mistake,)
    )
    (card,) = cards(page_of(collected, alphabet="ab"))
    assert "<bdi>a</bdi><mark>b</mark></span>" in card
    assert '<bdi>a</bdi><mark><i class="blank">blank</i></mark></span>' in card


def test_a_position_that_no_captcha_reaches_has_no_accuracy():
    collected = toy_report.made_up(2, alphabet="ab", num_positions=3, blank=True, pictures=0)
    labels = np.array([[0, 1, 2], [0, 2, 2]])
    collected = dataclasses.replace(collected, labels=labels, digits=labels, mistakes=())
    text = page_of(collected, alphabet="ab").replace(NBSP, " ")
    assert "position 1: 100 % of 2; position 2: 100 % of 1.</desc>" in text


def test_characters_titles_and_facts_are_escaped():
    collected = toy_report.made_up(500, alphabet=NASTY, error_rate=0.5)
    evil = '"><script>alert(1)</script>'
    text = page_of(
        collected,
        rows=[
            {"kind": "eval", "name": evil, "global_step": 1, "loss": 1.0},
            {"kind": "train", "global_step": 1, "loss": 1.0},
        ],
        sections={evil: [(evil, evil)]},
        title=evil,
        alphabet=NASTY,
    )
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.elements}
    # Title and heading, navigation and heading of the section, its fact, the chart's legend.
    assert page.text.count(evil) >= 7
    assert set(NASTY.replace(" ", "␣")) <= set(page.texts)  # Each is the name of a row.


def test_facts_stand_in_sections_of_their_own(default_page):
    text = Page(default_page).text
    for title, pairs in toy_report.SECTIONS.items():
        assert text.count(title) == 2  # The navigation's and its own.
        for name, value in pairs:
            assert f"{name}{value}" in text


CURVES = [
    "Loss",
    "Whole captchas misread",
    "Whole captchas read right",
    "Single characters read right",
    "Learning rate",
    "Gradient norm",
]


def curves_of(rows, chance=None):
    collected = dataclasses.replace(toy_report.made_up(10, pictures=0), chance=chance or {})
    text = page_of(collected, rows=rows)
    part = text.split("How it learned</h2>")
    return part[1].split("</section>")[0] if len(part) > 1 else ""


def test_the_history_gives_six_charts():
    assert re.findall("<h3>([^<]*)</h3>", curves_of(toy_report.made_up_rows())) == CURVES


def row(step, **values):
    return {"kind": "train", "global_step": step, **values}


# rows, headings of the charts.
ROWS = {
    "none": ([], []),
    "loss_alone": ([row(100, loss=2.3)], ["Loss"]),
    "not_finite": ([row(100, loss=None), row(200, loss=float("nan"))], []),
    "one_finite": ([row(100, loss=float("inf")), row(200, loss=1.0)], ["Loss"]),
    "nothing_known": ([row(100, examples_per_sec=5.0)], []),
    "step_0": ([row(0, loss=2.3)], ["Loss"]),
    "zero_loss": ([row(100, loss=0.0), row(200, loss=0.0)], ["Loss"]),
    "zero_rate": ([row(100, learning_rate=0.0)], ["Learning rate"]),
    "no_error": ([row(100, sequence_accuracy=1.0)], CURVES[1:3]),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_chart_is_drawn_for_what_the_history_has(case):
    rows, headings = ROWS[case]
    assert re.findall("<h3>([^<]*)</h3>", curves_of(rows)) == headings


def test_a_value_of_0_on_a_logarithmic_axis_is_said_to_lie_on_its_edge():
    edge = "Values of 0 lie on the lower edge."
    assert edge in curves_of([row(100, loss=0.0), row(200, loss=1.0)])
    assert edge not in curves_of([row(100, loss=0.5), row(200, loss=1.0)])


def test_what_a_curve_ends_at_is_said_in_its_description():
    curves = curves_of([row(100, sequence_accuracy=0.5), row(200, sequence_accuracy=0.75)])
    descriptions = [text.replace(NBSP, " ") for text in re.findall("<desc[^>]*>([^<]*)<", curves)]
    assert descriptions == [
        "Whole captchas misread against the training step: training ends at 25 %.",
        "Whole captchas read right against the training step: training ends at 75 %.",
    ]


def test_curves_have_a_line_for_guessing_where_it_is_known():
    rows = [row(100, loss=2.0)]
    assert "guessing" in curves_of(rows, {"loss": 2.3})
    assert "guessing" not in curves_of(rows)


def test_evaluations_of_another_name_are_another_line():
    rows = [
        {"kind": "eval", "global_step": 1, "loss": 1.0},
        {"kind": "eval", "global_step": 1, "loss": 2.0, "name": "other"},
    ]
    legend = re.findall('<text class="legend"[^>]*>([^<]*)<', curves_of(rows))
    assert legend == ["evaluation", "evaluation other"]


def test_a_long_history_is_drawn_with_as_many_points_as_can_be_seen():
    curves = curves_of([row(step, loss=1.0 + step % 2) for step in range(100_000)])
    assert curves.count(" L") < 1000


def test_an_alphabet_of_another_network_is_refused():
    with pytest.raises(ValueError, match=r"as many characters .* 10, .* received 8"):
        page_of(toy_report.made_up(10, pictures=0), alphabet="01234567")


def test_a_page_of_a_large_evaluation_stays_small():
    collected = toy_report.made_up(200_000, pictures=0)
    assert len(page_of(collected)) < 200_000


def contrast(first, second):
    """WCAG 2.1's ratio of two "#rrggbb", from 1 to 21."""
    lights = []
    for colour in (first, second):
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        lights.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


TEXT_PAIRS = [
    ("ink", "paper"),
    ("ink", "card"),
    ("quiet", "paper"),
    ("quiet", "card"),
    ("eval", "paper"),  # Links.
    ("marked", "mark"),
    ("righttext", "right"),
    ("wrongtext", "wrong1"),
    ("wrongtext", "wrong2"),
    ("wrongtext", "wrong3"),
    ("wrongtext", "wrong4"),
    ("wrongtext5", "wrong5"),
]


@pytest.mark.parametrize("palette", [_LIGHT, _DARK], ids=["light", "dark"])
def test_text_and_lines_can_be_told_from_their_ground(palette):
    colours = dict(re.findall(r"--(\w+): (#\w{6})", palette))
    for text, ground in TEXT_PAIRS:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for line in ("train", "eval", "third", "fourth", "chance"):
        assert contrast(colours[line], colours["card"]) >= 3, line
