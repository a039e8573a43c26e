import numpy as np
import pytest
import tensorflow as tf
import toy_hooks
from board_events import events_in, pictures_in, summaries_in
from tensorboard.plugins.hparams import metadata

from model.board import BoardHook
from model.board_pictures import Reading, _caption, draw_readings
from model.confusion_picture import draw_confusion
from model.description import ModelDescription
from model.hyper_parameters import write_hyper_parameters

DIGITS = ModelDescription(
    net="small", image_shape=(6, 20, 3), alphabet="0123456789", num_positions=4
)
INK = (31, 35, 40)


def captchas(n, wrong=(), seed=0):
    """(images, labels, digits) of which those at `wrong` have a wrong second digit."""
    rng = np.random.default_rng((11, seed))
    images = rng.integers(0, 256, [n, 6, 20, 3], np.uint8)
    labels = rng.integers(0, 10, [n, 4])
    digits = labels.copy()
    digits[list(wrong), 1] = (labels[list(wrong), 1] + 1) % 10
    return images, labels, digits


def batches(images, labels, digits, size):
    for start in range(0, len(images), size):
        end = start + size
        yield (
            {"image": tf.constant(images[start:end])},
            tf.constant(labels[start:end]),
            {"digits": tf.constant(digits[start:end])},
        )


def readings(images, labels, digits, chosen):
    return [Reading(image=images[i], label=labels[i], digits=digits[i]) for i in chosen]


def evaluate(folder, data, size=8, hook=None, **options):
    return toy_hooks.evaluate([hook or BoardHook(DIGITS)], folder, batches(*data, size), **options)


def test_an_evaluation_writes_its_three_pictures_at_its_step(tmp_path):
    evaluate(tmp_path, captchas(30, wrong=[3, 20]), step=700)
    assert set(pictures_in(tmp_path / "eval")) == {
        ("captchas/first", 700),
        ("captchas/wrong", 700),
        ("confusion", 700),
    }


@pytest.mark.parametrize("size", [1, 7, 16, 40], ids="{} a batch".format)
def test_the_first_captchas_and_the_first_wrong_ones_are_shown_however_they_are_batched(
    tmp_path, size
):
    wrong = list(range(1, 40, 2))  # 20, of which 16 are shown.
    data = captchas(40, wrong)
    evaluate(tmp_path, data, size)
    pictures = pictures_in(tmp_path / "eval")
    first = draw_readings(readings(*data, range(16)), "0123456789", "the first 16 of 40 captchas")
    np.testing.assert_array_equal(pictures["captchas/first", 100], first)
    shown = draw_readings(
        readings(*data, wrong[:16]), "0123456789", "16 of 20 read wrong, of 40 captchas"
    )
    np.testing.assert_array_equal(pictures["captchas/wrong", 100], shown)


def test_no_more_captchas_are_kept_than_are_shown(tmp_path):
    hook = BoardHook(DIGITS, num_first=3, num_wrong=2)
    evaluate(tmp_path, captchas(100, wrong=range(100)), hook=hook)
    assert (len(hook._first), len(hook._wrong)) == (3, 2)
    # An array that is a view keeps what it is a view of.
    for reading in hook._first + hook._wrong:
        assert reading.image.base is None or reading.image.base.size <= 3 * reading.image.size


def test_if_none_was_wrong_the_picture_of_an_earlier_step_does_not_stay(tmp_path):
    hook = BoardHook(DIGITS)
    evaluate(tmp_path, captchas(20, wrong=[3]), hook=hook, step=100)
    evaluate(tmp_path, captchas(20), hook=hook, step=200)
    expected = draw_readings([], "0123456789", "none read wrong, of 20")
    np.testing.assert_array_equal(pictures_in(tmp_path / "eval")["captchas/wrong", 200], expected)


def test_the_matrix_counts_every_character_and_starts_anew_with_each_evaluation(tmp_path):
    hook = BoardHook(DIGITS)
    evaluate(tmp_path, captchas(20, wrong=range(20)), hook=hook, step=100)
    images, labels, digits = captchas(50, wrong=[0, 8, 49], seed=1)
    evaluate(tmp_path, (images, labels, digits), hook=hook, step=200)
    expected = np.zeros([10, 10], int)
    for truth, read in zip(labels.ravel(), digits.ravel(), strict=True):
        expected[truth, read] += 1
    assert np.trace(expected) == 197
    np.testing.assert_array_equal(
        pictures_in(tmp_path / "eval")["confusion", 200],
        draw_confusion(expected, list("0123456789")),
    )


def test_only_the_chief_writes(tmp_path):
    hook = BoardHook(DIGITS)
    run = toy_hooks.make_run(tmp_path, is_chief=False, eval_dir=tmp_path / "eval")
    hook.begin(run)
    hook.end(run)
    assert list(tmp_path.iterdir()) == []


def grey(picture):
    """Without colour: [H, W] from 0 to 255."""
    return picture @ np.array([0.299, 0.587, 0.114])


def test_right_and_wrong_are_told_apart_without_colour():
    images, labels, digits = captchas(2, wrong=[1])
    images[:] = 128
    right = grey(draw_readings(readings(images, labels, digits, [0]), "0123456789", ""))
    wrong = grey(draw_readings(readings(images, labels, digits, [1]), "0123456789", ""))
    dark = [np.mean(picture[-36:-14] < 64) for picture in (right, wrong)]  # The strips.
    assert dark[0] < 0.15
    assert dark[1] > 0.6


@pytest.mark.parametrize(
    ("alphabet", "label", "digits", "pieces"),
    [
        ("0123", [0, 1, 2], [0, 1, 2], [("012", False)]),
        ("0123", [0, 1, 4], [0, 1, 4], [("01", False)]),
        ("0123", [4, 4, 4], [4, 4, 4], [("(nothing)", False)]),
        (
            "0123",
            [0, 1, 2],
            [0, 3, 2],
            [("012  read as  ", False), ("0", False), ("3", True), ("2", False)],
        ),
        (
            "0123",
            [0, 1, 4],
            [0, 1, 3],
            [("01  read as  ", False), ("0", False), ("1", False), ("3", True)],
        ),
        ("0123", [0, 1, 4], [4, 4, 4], [("01  read as  ", False), ("(nothing)", False)]),
        ("0123", [4, 4, 4], [1, 4, 4], [("(nothing)  read as  ", False), ("1", True)]),
    ],
    ids=["right", "short", "empty", "wrong", "one_more", "none_read", "none_there"],
)
def test_a_caption_leaves_blanks_out_and_underlines_what_differs(alphabet, label, digits, pieces):
    reading = Reading(
        image=np.zeros([6, 20, 3], np.uint8), label=np.array(label), digits=np.array(digits)
    )
    assert _caption(reading, alphabet) == pieces


@pytest.mark.parametrize(
    ("alphabet", "has_blank", "names"),
    [("012", False, ["0", "1", "2"]), ("012", True, ["0", "1", "2", "blank"])],
    ids=["fixed", "varying"],
)
def test_the_class_beyond_the_alphabet_is_called_blank(alphabet, has_blank, names):
    description = ModelDescription(
        net="small", image_shape=(6, 20, 3), alphabet=alphabet, num_positions=4, has_blank=has_blank
    )
    assert BoardHook(description)._names == names


@pytest.mark.parametrize("num_classes", [2, 10, 11, 36, 37, 62])
def test_cells_are_large_enough_for_their_counts_and_the_picture_for_a_screen(num_classes):
    matrix = np.full([num_classes, num_classes], 7)
    names = [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"][: num_classes - 1]
    picture = draw_confusion(matrix, [*names, "blank"])
    assert picture.dtype == np.uint8
    assert max(picture.shape) < 1300
    # Eleven times the counts are the same shades: within the cells only numbers can differ.
    more = draw_confusion(11 * matrix, [*names, "blank"])
    cells = np.s_[120:-60, 120:-180]
    if num_classes > 2:
        assert np.any(picture[cells] != more[cells]) == (num_classes <= 37)


def test_rare_mistakes_are_seen_and_diagonal_and_mistakes_differ_without_colour():
    matrix = np.diag([1000, 1000, 1000])
    matrix[0, 2] = 10
    picture = grey(draw_confusion(matrix, list("abc")))
    diagonal, _, rare, paper = (np.median(picture[90:130, x : x + 40]) for x in (70, 122, 174, 230))
    assert diagonal < 80
    assert 150 < rare < 245
    assert paper == 255


def test_a_matrix_without_any_example_of_a_class_is_drawn():
    draw_confusion(np.zeros([10, 10], int), list("0123456789"))


SETTINGS = {"net": "small", "learning_rate": 1e-3, "dropout": None, "verify": True, "steps": 7}


def hyper_parameters_in(folder):
    plugin_data = [
        value.metadata.plugin_data
        for event in events_in(folder)
        for value in event.summary.value
        if value.tag == metadata.SESSION_START_INFO_TAG
    ]
    return [metadata.parse_session_start_info_plugin_data(data.content) for data in plugin_data]


def test_hyper_parameters_hold_the_settings_and_the_last_metrics(tmp_path):
    write_hyper_parameters(tmp_path, SETTINGS, {"loss": 0.5, "n": 20, "global_step": 7})
    (info,) = hyper_parameters_in(tmp_path / "hparams")
    written = {
        name: getattr(value, value.WhichOneof("kind")) for name, value in info.hparams.items()
    }
    assert written == {"net": "small", "learning_rate": 1e-3, "verify": True, "steps": 7.0}
    scalars = summaries_in(tmp_path / "hparams", "scalars")
    assert {key: float(value) for key, value in scalars.items()} == {("loss", 7): 0.5, ("n", 7): 20}


def test_a_run_that_is_started_again_stays_one_row_and_other_runs_are_others(tmp_path):
    for step in (7, 9):
        write_hyper_parameters(tmp_path / "a", SETTINGS, {"loss": 0.5, "global_step": step})
    write_hyper_parameters(tmp_path / "b", SETTINGS, {"loss": 0.4, "global_step": 9})
    (a,), (b,) = (hyper_parameters_in(tmp_path / name / "hparams") for name in "ab")
    assert a.group_name != b.group_name
    assert set(summaries_in(tmp_path / "a" / "hparams", "scalars")) == {("loss", 9)}
