import json
import os

import pytest
import tensorflow as tf
from toy_estimator import line_estimator, line_input_fn

from model.estimator import exporters
from model.estimator.best_record import BestRecord
from model.estimator.exporters import BestExporter, FinalExporter, LatestExporter


def signatures_fn(net):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def serving_default(x):
        return {"y": net(x)}

    return {"serving_default": serving_default}


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    """Checkpoints of steps 1 to 6, whose weights differ."""
    return line_estimator(
        tmp_path_factory.mktemp("model"), save_checkpoints_steps=1, keep_checkpoint_max=9
    ).train(line_input_fn(), steps=6)


def export(exporter, estimator, folder, step, accuracy=0.5, is_final=False):
    """What `train_and_evaluate` does after an evaluation at `step`."""
    evaluation = {"loss": 1.0, "accuracy": accuracy, "global_step": step, "n": 2}
    checkpoint = f"{estimator.model_dir}/ckpt-{step}"
    return exporter.export(estimator, folder, checkpoint, evaluation, is_final)


def steps_in(folder):
    """Of which step each version is, oldest first."""
    versions = sorted((path for path in folder.glob("*") if path.name.isdecimal()), key=str)
    origins = [
        json.loads((path / "assets.extra/exported_from.json").read_text()) for path in versions
    ]
    return [origin["global_step"] for origin in origins]


def best_exporter(higher_is_better=True, **options):
    return BestExporter(
        "best", signatures_fn, metric="accuracy", higher_is_better=higher_is_better, **options
    )


def test_each_export_is_of_the_checkpoint_that_was_evaluated(estimator, tmp_path):
    exporter = LatestExporter("latest", signatures_fn)
    for step in (2, 5):
        version = export(exporter, estimator, tmp_path, step)
        signature = tf.saved_model.load(version).signatures["serving_default"]
        estimator.evaluate(
            line_input_fn(repeat=False), checkpoint_path=f"{estimator.model_dir}/ckpt-{step}"
        )
        expected = float(estimator.net.w)
        assert float(signature(x=tf.constant([1.0]))["y"][0]) == pytest.approx(expected)
    assert steps_in(tmp_path) == [2, 5]


def test_an_export_says_what_it_was_made_of(estimator, tmp_path):
    version = export(LatestExporter("latest", signatures_fn), estimator, tmp_path, 3, float("nan"))
    with open(f"{version}/assets.extra/exported_from.json") as file:
        origin = json.load(file, parse_constant=pytest.fail)
    assert len(origin.pop("index_sha256")) == 64
    assert origin == {"global_step": 3, "loss": 1.0, "accuracy": None, "n": 2}


@pytest.mark.parametrize(
    ("keep", "left"),
    [(1, [6]), (2, [5, 6]), (5, [2, 3, 4, 5, 6]), (None, [1, 2, 3, 4, 5, 6])],
    ids=["one", "two", "default", "all"],
)
def test_the_latest_exporter_keeps_the_newest_versions(estimator, tmp_path, keep, left):
    exporter = LatestExporter("latest", signatures_fn, exports_to_keep=keep)
    for step in range(1, 7):
        assert export(exporter, estimator, tmp_path, step).startswith(str(tmp_path))
    assert steps_in(tmp_path) == left
    assert len(os.listdir(tmp_path)) == len(left)


def test_the_final_exporter_waits_for_the_end(estimator, tmp_path):
    exporter = FinalExporter("final", signatures_fn)
    assert export(exporter, estimator, tmp_path / "final", 3) is None
    assert not (tmp_path / "final").exists()
    export(exporter, estimator, tmp_path / "final", 6, is_final=True)
    assert steps_in(tmp_path / "final") == [6]


NAN = float("nan")


@pytest.mark.parametrize(
    ("higher_is_better", "values", "exported"),
    [
        (True, [0.5, 0.6, 0.4], [1, 2]),
        (True, [0.5, 0.5, 0.5], [1]),
        (True, [0.5, 0.4, 0.45, 0.51], [1, 4]),
        (True, [NAN, 0.1, NAN, 0.2], [2, 4]),
        (True, [float("inf"), 0.1], [2]),
        (True, [NAN, NAN], []),
        (True, [0.0, -1.0], [1]),
        (False, [0.5, 0.6, 0.4], [1, 3]),
        (False, [0.5, NAN, 0.5, 0.49], [1, 4]),
    ],
    ids=["rises", "equal", "falls", "nan", "inf", "all_nan", "zero", "error", "error_nan"],
)
@pytest.mark.parametrize("process", ["same", "another"])
def test_the_best_exporter_exports_what_is_better_than_all_before(
    estimator, tmp_path, higher_is_better, values, exported, process
):
    exporter = best_exporter(higher_is_better)
    for step, value in enumerate(values, start=1):
        exporter = exporter if process == "same" else best_exporter(higher_is_better)
        version = export(exporter, estimator, tmp_path, step, value)
        assert (version is not None) == (step in exported)
    assert steps_in(tmp_path) == exported
    if exported:
        best = json.loads((tmp_path / "best.json").read_text())
        version = max(path.name for path in tmp_path.iterdir() if path.name.isdecimal())
        assert best == {
            "metric": "accuracy",
            "value": values[exported[-1] - 1],
            "global_step": exported[-1],
            "version": version,
        }


def test_a_restarted_run_does_not_export_a_worse_model(estimator, tmp_path):
    # tensorflow/tensorflow#47396: 0.85 was exported; the task restarts and evaluates to 0.79. The
    # old exporter's first export of a process was unconditional, and 0.79 the best from then on.
    export(best_exporter(), estimator, tmp_path, 1, 0.85)
    restarted = best_exporter()
    for step, auc in ((2, 0.79), (3, 0.80), (4, 0.84)):
        assert export(restarted, estimator, tmp_path, step, auc) is None
    assert steps_in(tmp_path) == [1]
    export(restarted, estimator, tmp_path, 5, 0.86)
    assert steps_in(tmp_path) == [1, 5]


def test_the_best_of_another_metric_is_none(estimator, tmp_path):
    export(best_exporter(), estimator, tmp_path, 1, 0.9)
    by_loss = BestExporter("best", signatures_fn, metric="loss", higher_is_better=False)
    export(by_loss, estimator, tmp_path, 2, 0.1)
    assert steps_in(tmp_path) == [1, 2]


def test_the_best_exporter_keeps_the_newest_which_are_the_best(estimator, tmp_path):
    exporter = best_exporter(exports_to_keep=1)
    for step, value in enumerate([0.1, 0.3, 0.2], start=1):
        export(exporter, estimator, tmp_path, step, value)
    assert steps_in(tmp_path) == [2]


# Killed at any moment, and called again with the same evaluation


class KilledError(BaseException):
    pass


def killed(*_, **__):
    raise KilledError


MAKE = {
    "latest": lambda: LatestExporter("latest", signatures_fn, exports_to_keep=2),
    "final": lambda: FinalExporter("final", signatures_fn, exports_to_keep=2),
    "best": lambda: best_exporter(exports_to_keep=2),
}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize(
    ("owner", "what"),
    [
        (exporters, "_sha256"),
        (tf.saved_model, "save"),
        (exporters._VersionsExporter, "_remove_old"),
        (BestRecord, "write"),
        (exporters.shutil, "rmtree"),
    ],
    ids=["before", "while_saving", "before_removing", "before_the_json", "while_removing"],
)
def test_a_killed_export_is_made_up_for_and_none_is_made_twice(
    estimator, tmp_path, monkeypatch, kind, owner, what
):
    for step in (1, 2):
        export(MAKE[kind](), estimator, tmp_path, step, step / 10, is_final=True)
    with monkeypatch.context() as context:
        context.setattr(owner, what, killed)
        try:
            export(MAKE[kind](), estimator, tmp_path, 3, 0.3, is_final=True)
        except KilledError:
            pass
        else:
            assert (kind, what) in (("latest", "write"), ("final", "write"))  # They write none.
    export(MAKE[kind](), estimator, tmp_path, 3, 0.3, is_final=True)
    assert steps_in(tmp_path) == [2, 3]
    if kind == "best":
        best = json.loads((tmp_path / "best.json").read_text())
        assert (best["value"], best["global_step"]) == (0.3, 3)
        assert (tmp_path / best["version"]).is_dir()
    # What the kill left under another name is gone after the next export.
    export(MAKE[kind](), estimator, tmp_path, 4, 0.4, is_final=True)
    assert steps_in(tmp_path) == [3, 4]
    assert list(tmp_path.glob("partial*")) == []


def test_what_a_killed_export_left_is_removed_by_the_next(estimator, tmp_path):
    leftover = tmp_path / "partial-x" / "variables"
    leftover.mkdir(parents=True)
    (leftover / "variables.index").write_text("half")
    export(LatestExporter("latest", signatures_fn), estimator, tmp_path, 3)
    assert steps_in(tmp_path) == [3]
    assert not leftover.parent.exists()


def test_another_checkpoint_of_the_same_step_is_exported(estimator, tmp_path):
    # A run that began anew in the same model_dir.
    exporter = LatestExporter("latest", signatures_fn)
    export(exporter, estimator, tmp_path / "exports", 3)
    other = line_estimator(tmp_path / "other", rate=0.02).train(line_input_fn(), steps=3)
    export(exporter, other, tmp_path / "exports", 3)
    export(exporter, other, tmp_path / "exports", 3)
    assert steps_in(tmp_path / "exports") == [3, 3]


def test_what_others_put_into_the_folder_stays(estimator, tmp_path):
    (tmp_path / "README").write_text("mine")
    (tmp_path / "7").mkdir()  # A version without an origin: not of this run.
    export(LatestExporter("latest", signatures_fn), estimator, tmp_path, 3)
    assert {"README", "7"} <= set(os.listdir(tmp_path))


@pytest.mark.parametrize("is_callable", [False, True], ids=["mapping", "callable"])
def test_assets_are_copied(estimator, tmp_path, is_callable):
    (tmp_path / "words.txt").write_text("a b")
    assets = {"words.txt": tmp_path / "words.txt"}
    seen = []

    def assets_fn(estimator):
        seen.append(estimator)
        return assets

    exporter = LatestExporter(
        "latest", signatures_fn, assets_extra=assets_fn if is_callable else assets
    )
    version = export(exporter, estimator, tmp_path / "exports", 3)
    assert sorted(os.listdir(f"{version}/assets.extra")) == ["exported_from.json", "words.txt"]
    assert seen == ([estimator] if is_callable else [])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LatestExporter("", signatures_fn), "`name` must be a plain folder name"),
        (lambda: LatestExporter("a/b", signatures_fn), "`name` must be .* received 'a/b'"),
        (lambda: LatestExporter("..", signatures_fn), "`name` must be .* received '..'"),
        (lambda: LatestExporter("a", signatures_fn, exports_to_keep=0), "`exports_to_keep` must"),
        (
            lambda: BestExporter("a", signatures_fn, metric="loss", higher_is_better=True),
            "`higher_is_better` must be False for the metric 'loss'",
        ),
    ],
    ids=["no_name", "path", "parent", "keeps_none", "high_loss"],
)
def test_an_exporter_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_unknown_metric_is_refused_with_those_there_are(estimator, tmp_path):
    exporter = BestExporter("best", signatures_fn, metric="acuracy", higher_is_better=True)
    with pytest.raises(ValueError, match=r"\(loss, accuracy\), received 'acuracy'"):
        export(exporter, estimator, tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"metric": "accuracy", "value": "high"}'])
def test_a_damaged_memory_is_refused_and_nothing_exported(estimator, tmp_path, text):
    (tmp_path / "best.json").write_text(text)
    with pytest.raises(ValueError, match=r"best.json must name the best value .* Remove it") as at:
        export(best_exporter(), estimator, tmp_path, 1)
    assert "\n" not in str(at.value)
    assert steps_in(tmp_path) == []
