"""Two whole programs, a regression and a text classifier; docs/estimator.md shows them as they are.

Neither has anything to do with captchas, and both use the public names of model.estimator alone.
"""

import inspect
import itertools
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_estimator import line_estimator, line_input_fn

import model.estimator
from model.estimator import (
    Estimator,
    EstimatorSpec,
    EvalSpec,
    Hook,
    ModeKeys,
    TrainSpec,
    train_and_evaluate,
)

MANUAL = pathlib.Path(__file__).resolve().parent.parent / "docs" / "estimator.md"


def noisy_sine(seed, n):
    """x and y = sin(2x) + noise of 0.1, so that the mean square of the error is 0.01 at best."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, n).astype(np.float32)
    return x, np.sin(2 * x) + rng.normal(0, 0.1, n).astype(np.float32)


def fit_sine(model_dir):
    def net_fn(params):
        hidden = [keras.layers.Dense(64, "relu") for _ in range(2)]
        return keras.Sequential([keras.Input([1]), *hidden, keras.layers.Dense(1)])

    def model_fn(features, labels, net, mode):
        y = net(features[:, tf.newaxis])[:, 0]
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions={"y": y})
        squares = tf.square(y - labels)  # A metric is one value an example.
        return EstimatorSpec(mode, loss=tf.reduce_mean(squares), eval_metric_ops={"mse": squares})

    def optimizer_fn(params):
        return keras.optimizers.Adam(0.01)

    train, test = (tf.data.Dataset.from_tensor_slices(noisy_sine(seed, 2000)) for seed in (0, 1))
    estimator = Estimator(model_fn, model_dir, net_fn=net_fn, optimizer_fn=optimizer_fn)
    train_spec = TrainSpec(lambda: train.shuffle(2000).repeat().batch(50), max_steps=800)
    return estimator, train_and_evaluate(estimator, train_spec, EvalSpec(lambda: test.batch(100)))


def reviews(seed, n):
    """n sentences, and 1 where the writer was content. Those of seed 0 and of seed 1 differ."""
    subjects = ("we", "they", "my parents", "all of us")
    verbs = ("left", "hated", "regretted"), ("loved", "enjoyed", "praised")
    objects = ("the hotel", "that film", "his soup", "the concert", "this old book")
    links = ("for its", "because of the", "and talked about the")
    adjectives = ("rude", "stale", "boring", "cold"), ("warm", "honest", "brilliant", "gentle")
    nouns = ("service", "ending", "smell", "sound", "people")
    texts = []
    for content in (0, 1):
        choices = subjects, verbs[content], objects, links, adjectives[content], nouns
        every = [" ".join(words) for words in itertools.product(*choices)]  # 3,600
        np.random.default_rng(content).shuffle(every)
        texts += every[seed * n // 2 : (seed + 1) * n // 2]
    return texts, np.repeat([0, 1], n // 2)


def classify_reviews(model_dir):
    def net_fn(params):
        words = keras.Input([None], dtype="int64")  # Any number of them; 0 is none.
        vectors = keras.layers.Embedding(1001, 16, mask_zero=True)(words)
        mean = keras.layers.GlobalAveragePooling1D()(vectors)
        return keras.Model(words, keras.layers.Dense(2)(mean))

    def model_fn(features, labels, net, mode):
        words = tf.strings.to_hash_bucket_fast(tf.strings.split(features), 1000)
        logits = net((words + 1).to_tensor())
        content = tf.argmax(logits, axis=-1)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions={"content": content})
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        return EstimatorSpec(mode, loss=loss, eval_metric_ops={"accuracy": content == labels})

    def optimizer_fn(params):
        return keras.optimizers.Adam(0.01)

    train, test = (tf.data.Dataset.from_tensor_slices(reviews(seed, 600)) for seed in (0, 1))
    estimator = Estimator(model_fn, model_dir, net_fn=net_fn, optimizer_fn=optimizer_fn)
    train_spec = TrainSpec(lambda: train.shuffle(600).repeat().batch(32), max_steps=200)
    return estimator, train_and_evaluate(estimator, train_spec, EvalSpec(lambda: test.batch(100)))


@pytest.mark.slow
def test_a_regression_comes_near_the_noise_where_the_mean_does_not(tmp_path):
    estimator, metrics = fit_sine(tmp_path)
    _, y = noisy_sine(1, 2000)
    assert metrics["n"] == 2000
    assert metrics["mse"] < 0.03 < np.var(y) / 10  # The noise alone: 0.01.
    (point,) = estimator.predict(lambda: tf.data.Dataset.from_tensors(np.float32([np.pi / 4])))
    assert point["y"] == pytest.approx(1.0, abs=0.2)


@pytest.mark.slow
def test_a_text_classifier_reads_sentences_that_it_has_not_seen(tmp_path):
    seen, unseen = (set(reviews(seed, 600)[0]) for seed in (0, 1))
    assert len(seen) == len(unseen) == len(seen | unseen) / 2 == 600
    estimator, metrics = classify_reviews(tmp_path)
    assert metrics["n"] == 600
    assert metrics["accuracy"] > 0.95  # Chance: 0.5; luck gives 0.56 once in 1,000.
    texts = ["we hated that film", "my parents praised the warm people there"]
    answers = estimator.predict(lambda: tf.data.Dataset.from_tensors(texts))
    assert [answer["content"] for answer in answers] == [0, 1]


@pytest.mark.parametrize("example", [fit_sine, classify_reviews])
def test_an_example_takes_20_lines(example):
    lines = [line for line in inspect.getsource(example).splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.parametrize("example", [noisy_sine, fit_sine, reviews, classify_reviews])
def test_the_manual_shows_the_examples_as_they_are(example):
    assert f"{inspect.getsource(example).strip()}\n" in MANUAL.read_text()


def rows_of_the_table():
    """(first, second) columns of "What moves over"."""
    section = MANUAL.read_text().split("## What moves over")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    return [(row[0].removeprefix("| "), row[1]) for row in rows]


def check_name(text):
    """Fails unless `text`, such as "Hook.begin" or "RunConfig(a=, b=)", is public and has these."""
    path, _, arguments = text.partition("(")
    first, *attributes = path.split(".")
    assert first in model.estimator.__all__, text
    found = getattr(model.estimator, first)
    for attribute in attributes:
        assert hasattr(found, attribute), text
        found = getattr(found, attribute)
    named = re.findall(r"(\w+)=", arguments)
    assert bool(named) == bool(arguments), f"{text}: name the arguments"
    if named:
        assert set(named) <= set(inspect.signature(found).parameters), text


@pytest.mark.parametrize("row", rows_of_the_table(), ids=lambda row: row[0])
def test_each_name_in_the_second_column_of_the_table_is_there(row):
    cell = row[1]
    if cell == "none" or " " in re.sub("`[^`]*`", "", cell).replace(", ", ""):
        return  # Words.
    names = re.findall("`([^`]*)`", cell)
    assert names
    for name in names:
        check_name(name)


@pytest.mark.parametrize("text", ["Hook.start", "Estimators", "RunConfig(seed=)", "Hook(begin)"])
def test_a_name_that_is_not_there_would_be_noticed(text):
    with pytest.raises(AssertionError):
        check_name(text)


def test_every_public_name_is_in_the_manual():
    text = MANUAL.read_text()
    missing = [name for name in model.estimator.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_the_hook_of_the_manual_remembers_over_a_restart(tmp_path):
    (code,) = re.findall("```python\n(class WorstLoss.*?)```", MANUAL.read_text(), re.DOTALL)
    scope = {"Hook": Hook}
    exec(code, scope)
    worst = []
    for _ in range(2):
        hook = scope["WorstLoss"]()
        line_estimator(tmp_path).train(line_input_fn(), steps=10, hooks=[hook])
        worst.append(hook.worst)
    assert worst[1] == worst[0] > 0.0  # The loss falls: only memory keeps the first ten's.
