"""Axes with round ticks, numbers that are never better than they are, and marks in their place."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from report.axis import as_percent, linear_axis, log_axis, plain
from report.confusion_chart import confusion_chart
from report.svg_chart import chart
from report.svg_marks import Band, Bars, Dots, Line
from report.wording import one_in, percent, plural, short_count, visible

NBSP = "\N{NO-BREAK SPACE}"

PERCENTS = [
    (0.9894, "98.94 %"),
    (1.0, "100 %"),
    (0.0, "0 %"),
    (0.5, "50.00 %"),
    (0.99996, "99.996 %"),  # Not 100.00 %.
    (0.00001, "0.001 %"),
    (1 - 1e-10, "above 99.999999 %"),
    (1e-10, "below 0.000001 %"),
    (1 - 1e-16, "100 %"),  # A bit off, from an interval.
]


@pytest.mark.parametrize(("share", "text"), PERCENTS)
def test_only_all_is_100_percent_and_only_none_is_0(share, text):
    assert percent(share) == text.replace(" %", f"{NBSP}%")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.1, "1 in 10"),
        (1e-4, "1 in 10,000"),
        (62.0**-6, "1 in 56.8 billion"),
        (0.37, f"37.00{NBSP}%"),
        (0.0, f"0{NBSP}%"),
        (36.0**-4, "1 in 1.68 million"),
        (62.0**-8, "1 in 2e+14"),
    ],
)
def test_chance_is_one_in_so_many(share, text):
    assert one_in(share) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (9999, "9999"), (12_345, "12k"), (999_999, "999k"), (1_250_000, "1.2M")],
)
def test_a_count_fits_its_cell(number, text):
    assert short_count(number) == text


@pytest.mark.parametrize(
    ("character", "text"), [("a", "a"), (" ", "␣"), ("\n", "U+000A"), ("\u200b", "U+200B")]
)
def test_every_character_can_be_seen(character, text):
    assert visible(character) == text


def test_one_captcha_is_no_plural():
    assert (plural(1, "captcha"), plural(5000, "captcha")) == ("1 captcha", "5,000 captchas")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2500, "2,500"), (0.05, "0.05"), (1e-6, "10⁻⁶"), (2e-5, "2·10⁻⁵"), (5e7, "5·10⁷")],
)
def test_ticks_are_written_for_people(value, text):
    assert plain(value) == text


def test_a_share_is_written_without_the_dust_of_floats():
    assert as_percent(0.9955000000000001) == f"99.55{NBSP}%"


LINEAR = {
    "shares": (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    "steps": (0, 14000, [0, 5000, 10000, 15000]),
    "near_1": (0.9913, 1, [0.99, 0.992, 0.994, 0.996, 0.998, 1]),
    "all_equal": (3, 3, [1, 2, 3, 4, 5]),
    "all_0": (0, 0, [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]),
    "small": (0, 1.2e-3, [0, 0.0005, 0.001, 0.0015]),
}


@pytest.mark.parametrize("case", LINEAR)
def test_linear_ticks_are_round_and_hold_the_values(case):
    low, high, ticks = LINEAR[case]
    axis = linear_axis("", low, high)
    assert [value for value, _ in axis.ticks] == pytest.approx(ticks, abs=1e-12)
    assert axis.low <= low <= high <= axis.high


def test_a_tight_axis_ends_where_the_values_do():
    axis = linear_axis("", 0, 14000, tight=True)
    assert (axis.high, [value for value, _ in axis.ticks]) == (14000, [0, 5000, 10000])


LOG = {
    "decades": (0.004, 3, [0.01, 0.1, 1]),
    "two_decades": (0.015, 1, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]),
    "one_value": (1, 1, [1, 2]),
    "many_decades": (1e-12, 1, [1e-12, 1e-9, 1e-6, 1e-3, 1]),
}


@pytest.mark.parametrize("case", LOG)
def test_log_ticks_are_round_and_hold_the_values(case):
    low, high, ticks = LOG[case]
    axis = log_axis("", low, high)
    assert [value for value, _ in axis.ticks] == pytest.approx(ticks)
    assert axis.low <= low <= high <= axis.high


def test_a_log_axis_has_equal_steps_for_equal_factors_and_0_at_its_end():
    axis = log_axis("", 0.01, 100)
    assert [axis.place(value) for value in (0.01, 1, 100)] == pytest.approx([0, 0.5, 1])
    assert axis.place(0) == 0


def drawn(*marks, identity="c", title="T", description="D"):
    """The chart over [0, 10] x [0, 10], parsed."""
    x_axis, y_axis = linear_axis("steps", 0, 10), linear_axis("share", 0, 10)
    return ET.fromstring(chart(identity, title, description, x_axis, y_axis, marks))


def test_a_chart_says_what_it_is_to_those_who_do_not_see_it():
    svg = drawn(title="Loss < 1", description='"D"')
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "c-title c-desc"
    texts = {element.get("id"): element.text for element in svg.iter() if element.get("id")}
    assert (texts["c-title"], texts["c-desc"]) == ("Loss < 1", '"D"')


def test_axes_have_labels_and_a_text_a_tick():
    texts = [element.text for element in drawn().iter("text")]
    assert texts == ["0", "2", "4", "6", "8", "10"] * 2 + ["share", "steps"]


def test_a_line_breaks_where_there_is_no_number():
    line = Line(x=[0, 2, 4, 6, 8], y=[0, 2, float("nan"), 6, 8], kind="eval")
    path = next(path for path in drawn(line).iter("path") if "line" in path.get("class"))
    assert path.get("d").count("M") == 2
    assert path.get("d").count("L") == 2


def test_a_single_point_is_seen():
    svg = drawn(Line(x=[5], y=[5], kind="eval"))
    (dot,) = svg.iter("circle")
    # In the middle of both axes.
    assert (float(dot.get("cx")), float(dot.get("cy"))) == (277, 130)


def test_a_dot_has_its_interval():
    svg = drawn(Dots(x=[5], y=[5], low=[0], high=[10], kind="eval", texts=["50 <"]))
    whisker = next(path for path in svg.iter("path") if "whisker" in path.get("class"))
    assert whisker.get("d").startswith("M277 26 V234")
    assert "50 <" in [element.text for element in svg.iter("text")]


def test_a_band_goes_there_and_back():
    svg = drawn(Band(x=[0, 10], low=[0, 5], high=[5, 10], kind="eval"))
    (polygon,) = svg.iter("polygon")
    assert polygon.get("points") == "58,130 496,26 496,130 58,234"


def test_a_bar_stands_between_its_edges_and_a_small_one_is_seen():
    svg = drawn(Bars(edges=[0, 5, 10], y=[10, 1e-9], kind="eval", texts=["10", "0"]))
    bars = [rect for rect in svg.iter("rect") if "bar" in rect.get("class", "")]
    sizes = [[float(bar.get(side)) for side in ("x", "y", "width", "height")] for bar in bars]
    assert sizes == [[59, 26, 217, 208], [278, 233, 217, 1]]


def test_the_legend_names_what_has_a_name():
    marks = [
        Line(x=[0, 1], y=[0, 1], kind="eval", name="a & b"),
        Line(x=[0, 1], y=[0, 1], kind="train"),
    ]
    legend = [text.text for text in drawn(*marks).iter("text") if text.get("class") == "legend"]
    assert legend == ["a & b"]


@pytest.mark.parametrize("num_classes", [2, 10, 36, 62])
def test_the_matrix_has_a_cell_with_its_count_for_all_that_occurred(num_classes):
    rng = np.random.default_rng(num_classes)
    counts = rng.integers(3, size=(num_classes, num_classes))
    counts[0, 1] = 12_345
    names = [chr(0x30 + index) for index in range(num_classes)]
    svg = ET.fromstring(confusion_chart("m", counts, names))
    cells = [text for text in svg.iter("text") if text.get("class") == "cell"]
    assert len(cells) == np.count_nonzero(counts)
    assert "12k" in [cell.text for cell in cells]
    titles = [title.text for group in svg.iter("g") for title in group.iter("title")]
    assert any(text.startswith("0 read as 1: 12,345 of ") for text in titles)
    # Rows are the truth: the cell of (0, 1) is in the first row and the second column.
    cell = cells[int(counts[0, 0] > 0)]
    side = 44 if num_classes <= 12 else 26
    assert (float(cell.get("x")), float(cell.get("y"))) == (66 + 1.5 * side, 66 + 0.5 * side)


def test_the_more_frequent_a_mistake_the_deeper_its_colour():
    text = confusion_chart("m", np.array([[5, 1, 100], [10, 5, 0], [0, 0, 5]]), "abc")
    kinds = re.findall(r'<g class="(\w+)"><title>(\w) read as (\w)', text)
    assert kinds == [
        ("right", "a", "a"),
        ("wrong1", "a", "b"),
        ("wrong5", "a", "c"),
        ("wrong3", "b", "a"),
        ("right", "b", "b"),
        ("right", "c", "c"),
    ]


def test_a_matrix_without_mistakes_has_no_legend_of_them():
    assert "wrong" not in confusion_chart("m", np.diag([1, 2]), "ab")
