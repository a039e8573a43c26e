import pytest
import tensorflow as tf
from toy_estimator import Line, line_estimator, line_input_fn

from model.estimator import EstimatorSpec, EvalSpec, ModeKeys, RunConfig, TrainSpec

LOSS = tf.constant(1.0)


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        (ModeKeys.TRAIN, {"loss": LOSS}),
        (ModeKeys.TRAIN, {"loss": LOSS, "train_metric_ops": {"error": tf.zeros([3])}}),
        (ModeKeys.EVAL, {"loss": LOSS}),
        (ModeKeys.EVAL, {"loss": LOSS, "eval_metric_ops": {"hit": tf.constant([True])}}),
        (ModeKeys.PREDICT, {"predictions": {"y": tf.zeros([3, 2])}}),
    ],
    ids=["train", "train_with_metrics", "eval", "eval_with_metrics", "predict"],
)
def test_a_spec_needs_what_its_mode_uses(mode, fields):
    assert EstimatorSpec(mode, **fields).mode == mode


@pytest.mark.parametrize(
    ("mode", "fields", "message"),
    [
        ("training", {"loss": LOSS}, "`mode` must be one of train, eval, infer, received 'trai"),
        ("train", {}, "`loss` must be given for mode 'train', received None"),
        ("eval", {"predictions": {"y": LOSS}}, "`loss` must be given for mode 'eval'"),
        ("infer", {"loss": LOSS}, "`predictions` must be given for mode 'infer', received None"),
        ("infer", {"predictions": tf.zeros([3])}, "`predictions` must be a dict .* received Eager"),
        ("train", {"loss": tf.zeros([3])}, r"`loss` must be a scalar, received shape \(3,\)"),
        (
            "eval",
            {"loss": LOSS, "eval_metric_ops": {"accuracy": tf.constant(0.5)}},
            r"`eval_metric_ops` .* shape \[N\], received 'accuracy' of shape \(\)",
        ),
        (
            "train",
            {"loss": LOSS, "train_metric_ops": {"accuracy": tf.zeros([3, 4])}},
            r"`train_metric_ops` .* shape \[N\], received 'accuracy' of shape \(3, 4\)",
        ),
        (
            "eval",
            {"loss": LOSS, "eval_metric_ops": {"n": tf.zeros([3])}},
            "`eval_metric_ops` must not use the names loss, .* received 'n'",
        ),
    ],
    ids=[
        "unknown_mode",
        "train_without_loss",
        "eval_without_loss",
        "predict_without_predictions",
        "predictions_without_names",
        "loss_of_each_example",
        "metric_already_averaged",
        "metric_of_each_character",
        "metric_named_like_a_result",
    ],
)
def test_a_spec_names_the_field_that_is_wrong(mode, fields, message):
    with pytest.raises(ValueError, match=message):
        EstimatorSpec(mode, **fields)


def test_checkpoints_are_saved_every_ten_minutes_unless_told_otherwise():
    assert RunConfig().save_checkpoints_secs == 600
    assert RunConfig(save_checkpoints_steps=5).save_checkpoints_secs is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"save_checkpoints_steps": 5, "save_checkpoints_secs": 60},
            "only one of `save_checkpoints_steps` and `save_checkpoints_secs` .* received 5 and 60",
        ),
        ({"save_checkpoints_steps": 0}, "`save_checkpoints_steps` must be .* received 0"),
        ({"save_checkpoints_secs": 0}, "`save_checkpoints_secs` must be positive, received 0"),
        ({"keep_checkpoint_max": 0}, "`keep_checkpoint_max` must be .* received 0"),
        ({"log_step_count_steps": 2.5}, "`log_step_count_steps` must be a whole .* received 2.5"),
        ({"save_summary_steps": -1}, "`save_summary_steps` must be .* received -1"),
        ({"tf_random_seed": -1}, r"`tf_random_seed` must be in \[0, 2\*\*32\), received -1"),
    ],
    ids=["both_cadences", "steps", "secs", "keep", "fraction", "summaries", "seed"],
)
def test_a_run_config_checks_itself(fields, message):
    with pytest.raises(ValueError, match=message):
        RunConfig(**fields)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrainSpec(line_input_fn(), max_steps=0), "`max_steps` must be .* received 0"),
        (lambda: EvalSpec(line_input_fn(), steps=0), "`steps` must be .* received 0"),
        (lambda: EvalSpec(line_input_fn(), every_steps=0), "`every_steps` must be .* received 0"),
    ],
    ids=["train", "eval", "every"],
)
def test_train_and_eval_specs_check_themselves(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("model_fn", "message"),
    [
        (lambda features, net: None, r"received \(features, net\). Add mode."),
        (lambda features, labels, mode: None, r"received \(features, labels, mode\). Add net."),
        (lambda features, net, mode, rate: None, r"net, mode, rate\). Put the rest into `params`"),
    ],
    ids=["no_mode", "no_net", "unknown"],
)
def test_the_argument_names_of_model_fn_are_checked_at_once(tmp_path, model_fn, message):
    with pytest.raises(ValueError, match=message):
        line_estimator(tmp_path, model_fn=model_fn)


def _spec_for_another_mode(features, labels, net, mode):
    return EstimatorSpec(ModeKeys.EVAL, loss=tf.constant(0.0))


@pytest.mark.parametrize(
    ("model_fn", "message"),
    [
        (lambda features, net, mode: None, "must take `labels` if the input has some"),
        (lambda features, labels, net, mode: {}, "return an EstimatorSpec .* received 'dict'"),
        (_spec_for_another_mode, "an EstimatorSpec for mode 'train', received 'eval'"),
    ],
    ids=["labels_not_taken", "no_spec", "another_mode"],
)
def test_a_mistake_in_model_fn_is_one_line_and_leaves_no_file(tmp_path, model_fn, message):
    model_dir = tmp_path / "model"
    with pytest.raises(ValueError, match=message) as caught:
        line_estimator(model_dir, model_fn=model_fn).train(line_input_fn(), steps=1)
    assert "\n" not in str(caught.value)
    assert not model_dir.exists()


def test_model_fn_gets_params_config_and_the_step_if_it_names_them(tmp_path):
    received = []

    def model_fn(features, net, mode, params, config, step):
        received.append((mode, params, config.tf_random_seed))
        return EstimatorSpec(
            mode, loss=net(0.0), predictions={"step": tf.fill(tf.shape(features), step)}
        )

    estimator = line_estimator(tmp_path, model_fn=model_fn, tf_random_seed=7)
    features = line_input_fn(repeat=False)
    estimator.train(lambda: features().map(lambda x, y: x).repeat(), steps=3)
    assert [p["step"] for p in estimator.predict(features)] == [3, 3]
    assert received == [("train", None, 7), ("infer", None, 7)]


def test_an_unbuilt_network_is_refused(tmp_path):
    from model.estimator import Estimator

    class Unbuilt(Line):
        trainable_variables = ()

    estimator = Estimator(lambda features, net, mode: None, tmp_path, net_fn=lambda _: Unbuilt())
    with pytest.raises(ValueError, match="`net_fn` must return a network whose variables exist"):
        _ = estimator.net
