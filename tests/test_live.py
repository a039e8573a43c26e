"""`--data_dir=live:STYLE?seed=0`: captchas without files, endless, seeded, resumable."""

import itertools

import numpy as np
import pytest

import train
from data_gen.example import make_example
from data_gen.live import LiveData, parse_live
from data_gen.style import Style
from data_gen.style_file import load_style
from training.data import input_fns, load_data
from training.prepare import prepare


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("live:default", LiveData(style=Style())),
        ("live:default?seed=7", LiveData(style=Style(), seed=7)),
        (
            "live:mixed-length?n_test=9&seed=1",
            LiveData(style=load_style("mixed-length"), seed=1, num_test=9),
        ),
    ],
)
def test_live_data_is_named_by_style_and_seed(text, data):
    assert parse_live(text) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("live:", "`style` must be one of .*, received ''"),
        ("live:wied", "did you mean 'wide'"),
        ("live:default?sed=1", "must be seed and n_test, .* received sed=1"),
        ("live:default?seed=-1", "received seed=-1"),
        ("live:default?seed=", "received seed= in"),
        ("live:default?seed=1&seed=2", "received seed=2"),
        ("live:default?n_test=0", "`n_test` must be in"),
    ],
)
def test_other_live_data_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_live(text)


def test_live_data_says_of_itself_what_a_dataset_says():
    data = parse_live("live:mixed-length?n_test=9")
    assert data.image_shape == (30, 150, 3)
    assert (data.num_positions, data.has_blank, data.alphabet) == (6, True, "0123456789")
    assert (data.num_examples("train"), data.num_examples("test")) == (None, 9)


def batches(dataset, num):
    return [
        (features["image"].numpy(), labels.numpy())
        for features, labels in itertools.islice(dataset, num)
    ]


def assert_examples(batch, data, split, indices):
    images, labels = batch
    examples = [make_example(data.style, data.seed, split, index) for index in indices]
    np.testing.assert_array_equal(images, [example.image for example in examples])
    np.testing.assert_array_equal(labels, [example.digits for example in examples])


@pytest.mark.parametrize("name", ["default", "mixed-length"])
def test_the_stream_is_the_examples_of_the_seed_in_order(name):
    from data_gen.live_input import live_input_fn

    data = parse_live(f"live:{name}?seed=4")
    dataset = live_input_fn(data, "train", batch_size=3)()
    assert dataset.element_spec[0]["image"].shape == (3, *data.image_shape)
    first, second = batches(dataset, 2)
    assert_examples(first, data, "train", range(3))
    assert_examples(second, data, "train", range(3, 6))


def test_of_the_first_batches_only_some_examples_are_drawn_if_no_more_are_looked_at(tmp_path):
    import tensorflow as tf

    from data_gen.live_input import live_input_fn

    data = parse_live("live:default?seed=4")
    input_fn = live_input_fn(data, "train", batch_size=6, thin_batches=2, thin_factor=3)
    iterator = iter(input_fn())
    (first,) = batches(iterator, 1)
    assert_examples(first, data, "train", [0, 3])
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "ckpt"))
    restored = iter(input_fn())
    tf.train.Checkpoint(iterator=restored).read(path).assert_consumed()
    for going_on in (iterator, restored):
        second, third = batches(going_on, 2)
        assert_examples(second, data, "train", [6, 9])
        assert_examples(third, data, "train", range(12, 18))


def test_while_only_the_first_candidate_is_looked_at_live_data_draws_it_alone():
    def config(candidates_from_step):
        return train.TrainConfig(
            data_dir="live:default?seed=4",
            batch_size=2,
            candidates=3,
            candidates_from_step=candidates_from_step,
        )

    thin, whole = (batches(input_fns(config(begin))[0](), 2) for begin in (1, 0))
    assert [image.shape[:2] for image, _ in thin] == [(2, 1), (2, 3)]
    for few, all_of_them in zip(thin[0], whole[0], strict=True):
        np.testing.assert_array_equal(few[:, 0], all_of_them[:, 0])
    for one, other in zip(thin[1], whole[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("split", ["train", "test"])
def test_nothing_is_tuned_while_it_draws(split):
    """The thread that would, can hold up the end of a program by a minute."""
    from data_gen.live_input import live_input_fn

    data = parse_live("live:default?seed=0&n_test=10")
    dataset = live_input_fn(data, split, 4, data.num_examples(split))()
    assert dataset.options().autotune.enabled is False


def test_the_test_set_ends_and_its_last_batch_is_what_is_left():
    from data_gen.live_input import live_input_fn

    data = parse_live("live:default?seed=4")
    first, second = batches(live_input_fn(data, "test", 4, num_examples=7)(), 99)
    assert_examples(first, data, "test", range(4))
    assert_examples(second, data, "test", range(4, 7))


@pytest.mark.parametrize("batch_size", [3, 2], ids=["same_batches", "other_batches"])
def test_a_restored_iterator_goes_on_with_the_next_captcha(tmp_path, batch_size):
    import tensorflow as tf

    from data_gen.live_input import live_input_fn

    data = parse_live("live:default?seed=4")
    iterator = iter(live_input_fn(data, "train", batch_size=3)())
    batches(iterator, 5)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "ckpt"))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 20_000
    restored = iter(live_input_fn(data, "train", batch_size=batch_size)())
    tf.train.Checkpoint(iterator=restored).read(path).assert_consumed()
    (batch,) = batches(restored, 1)
    assert_examples(batch, data, "train", range(15, 15 + batch_size))


@pytest.mark.slow
def test_a_live_run_in_two_parts_ends_like_one_in_one_part(tmp_path):
    from model.captcha_estimator import load_estimator

    def config(name):
        return train.TrainConfig(
            data_dir="live:default?seed=2&n_test=20",
            model_dir=str(tmp_path / name),
            max_steps=6,
            batch_size=8,
            warmup_steps=1,
            dropout_from_step=2,
            dropout=0.5,
            candidates=2,
            candidates_from_step=2,
            save_checkpoints_steps=2,
            precision="float32",
        )

    whole, parts = config("whole"), config("parts")
    assert train.run(whole)["n"] == 20
    prepare(parts, load_data(parts)).train(input_fns(parts)[0], steps=3)
    train.run(parts)
    first, second = (load_estimator(asked.model_dir)[0] for asked in (whole, parts))
    for name in first.get_variable_names():
        np.testing.assert_array_equal(
            first.get_variable_value(name), second.get_variable_value(name), err_msg=name
        )
