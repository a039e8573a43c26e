import pytest

from benchmarks.growth import line_figures
from benchmarks.straight_line import fit_line
from benchmarks.timed_command import Spent


def test_points_on_a_line_deviate_by_nothing():
    line = fit_line([10, 100, 1000, 10000], [3 + 0.5 * x for x in (10, 100, 1000, 10000)])
    assert (line.slope, line.intercept) == (pytest.approx(0.5), pytest.approx(3))
    assert line.largest_deviation == pytest.approx(0, abs=1e-9)


def test_what_grows_with_the_square_is_seen_to_be_no_line():
    assert fit_line([1, 2, 4, 8], [1, 4, 16, 64]).largest_deviation > 0.3


def test_two_points_are_refused():
    with pytest.raises(ValueError, match="3 points or more, received 2"):
        fit_line([1, 2], [1, 2])


@pytest.mark.parametrize(
    ("axis", "slopes"),
    [
        ("n", {"read_microseconds_for_one_more": 1000, "read_n_kb_for_one_more": 20}),
        ("batch", {"read_batch_kb_for_one_more_in_a_batch": 20}),
        ("pixels", {"read_pixels_bytes_for_one_more_pixel": 20000}),
    ],
)
def test_slopes_have_their_units(axis, slopes):
    points = [(n, Spent(2 + n / 1000, 1.0, 100 + n / 50)) for n in (1000, 2000, 5000)]
    figures = line_figures("read", axis, points)
    assert {name: figures[name] for name in slopes} == pytest.approx(slopes)
    assert figures[f"read_{axis}"] == "1000 to 5000"
    assert figures[f"read_{axis}_mb"] == "120 to 200"
    assert figures[f"read_{axis}_mb_largest_deviation_percent"] == pytest.approx(0, abs=1e-6)
