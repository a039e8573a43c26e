"""Renders labelled captchas, or imports labelled pictures, and writes them as TFRecords.

python data_gen --n 50000                                   # 50,000 to train on, 5,000 to test
python data_gen --n 50000 --style hard --length 5 --width 120 --out hard_data
python data_gen --style my_style.toml --preview look.png    # one sheet, no dataset
python data_gen --from_images my_captchas --out my_data     # 3887.png, 3887_0001.png, ...
python data_gen --like captcha_data --out again             # the same files once more
"""

import pathlib
import sys

# `python data_gen` puts this folder first on the path; ours are imported from the one above.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import time

from absl import flags

import command_line
from data_gen.beam_runner import generate_with_beam
from data_gen.fonts import find_fonts
from data_gen.generate import GenerateConfig, generate, write_first_examples
from data_gen.import_config import ImportConfig
from data_gen.import_images import import_images
from data_gen.label_source import DEFAULT_LABEL_PATTERN, LABEL_CASES
from data_gen.length_flag import parse_length
from data_gen.like import check_alike, config_like
from data_gen.picture_files import RESIZES
from data_gen.render import RENDERERS
from data_gen.style import Style
from data_gen.style_file import PRESETS, load_style
from records.cores import num_cores
from records.description import load_description
from records.remote_folder import is_url
from records.schema import ENCODINGS

_N = flags.DEFINE_integer("n", 50000, "How many captchas to train on.")
_N_TEST = flags.DEFINE_integer(
    "n_test", None, "How many captchas to test on. By default a tenth of --n."
)
_OUT = flags.DEFINE_string("out", "captcha_data", "Folder of the dataset, made by this program.")
_SEED = flags.DEFINE_integer("seed", 0, "Another seed draws other captchas; the same one the same.")
_WORKERS = flags.DEFINE_integer(
    "workers", None, "Processes. By default one a core. The files do not depend on it."
)
_STYLE = flags.DEFINE_string(
    "style", "default", f"How captchas look: {', '.join(PRESETS)}, or a TOML file."
)
_WIDTH = flags.DEFINE_integer("width", None, "Pixels. By default the style's.")
_HEIGHT = flags.DEFINE_integer("height", None, "Pixels. By default the style's.")
_LENGTH = flags.DEFINE_string(
    "length", None, "Characters: 4, or a range, 3-6. By default the style's."
)
_ALPHABET = flags.DEFINE_string("alphabet", None, "By default the style's.")
_FONTS = flags.DEFINE_list("fonts", [], "Font files, or folders of them. By default the style's.")
_RENDERER = flags.DEFINE_enum(
    "renderer", RENDERERS[0], RENDERERS, "captcha is the library itself: the same, more slowly."
)
_PREVIEW = flags.DEFINE_string(
    "preview", None, "Draw the first captchas on one sheet, this PNG, and write no dataset."
)
_LIKE = flags.DEFINE_string(
    "like", None, "Make this dataset again, as its provenance.json says; the files must be equal."
)
_ENCODING = flags.DEFINE_enum(
    "encoding", "raw", ENCODINGS, "Of pictures in records. raw reads fastest, png is smallest."
)
_WITH_MAP = flags.DEFINE_bool("with_map", False, "Also store which pixels are which character.")
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the dataset at --out, once it is whole."
)
_RUNNER = flags.DEFINE_string(
    "runner", None, "Draw on an Apache Beam runner, DirectRunner, FlinkRunner, ...: docs/scale.md."
)
_BEAM_OPTIONS = flags.DEFINE_list(
    "beam_options", [], "With --runner: its options, for example --flink_master=localhost:8081."
)
_FROM_IMAGES = flags.DEFINE_string(
    "from_images",
    None,
    "Import these pictures instead of rendering: a folder whose file names carry the label, or a "
    "CSV, TSV or JSONL of file and label. Size, length and alphabet are found unless given.",
)
_LABEL_PATTERN = flags.DEFINE_string(
    "label_pattern",
    DEFAULT_LABEL_PATTERN,
    r"With --from_images: regular expression whose group is the label, for the file name without "
    r"suffix. For 0001_3887.png: '\d+_(\d+)'.",
)
_LABEL_CASE = flags.DEFINE_enum(
    "label_case", "keep", LABEL_CASES, "With --from_images: write the letters of labels so."
)
_RESIZE = flags.DEFINE_enum(
    "resize", "error", RESIZES, "With --from_images: what to do with pictures of another size."
)


def main(_: list[str]) -> None:
    """Renders, or imports if --from_images says so, or whichever it was if --like says so."""
    started = time.monotonic()
    if _PREVIEW.value is not None:
        _preview(pathlib.Path(_PREVIEW.value))
        return
    config = _config()
    imported = isinstance(config, ImportConfig)
    if imported:
        import_images(config)
        print(f"{config.out_dir}: {time.monotonic() - started:.1f} s")
    else:
        if _RUNNER.value is None:
            generate(config)
        else:
            generate_with_beam(config, _RUNNER.value, _BEAM_OPTIONS.value)
        seconds = time.monotonic() - started
        total = config.num_train + config.num_test
        print(
            f"{config.out_dir}: {config.num_train} train and {config.num_test} test captchas in "
            f"{seconds:.1f} s, {total / seconds:.0f} a second on "
            f"{_RUNNER.value or f'{config.num_workers} workers'}"
        )
    out = config.out_dir
    if _LIKE.value is not None:
        num_shards = check_alike(load_description(_LIKE.value), load_description(out))
        print(f"as {_LIKE.value}: all {num_shards} shards have the same SHA-256")
    print(f"look at {out}/preview.png")
    # Real pictures are few and some labels wrong: docs/real_captchas.md.
    flagfile = "from_scratch" if imported else "captcha"
    print(f"next: python train.py --flagfile=configs/{flagfile}.flags --data_dir={out}")


def _config() -> GenerateConfig | ImportConfig:
    if _LIKE.value is not None:
        taken = _OF_STYLE + _OF_DRAWING + _OF_IMPORT + _OF_BOTH
        _refuse_flags_of("--like", taken, wanted=False)
        return config_like(
            load_description(_LIKE.value),
            _out_dir(),
            overwrite=_OVERWRITE.value,
            num_workers=_num_workers(),
        )
    if _FROM_IMAGES.value is not None:
        _refuse_flags_of("--from_images", ("style", "fonts", *_OF_DRAWING, *_OF_BEAM), wanted=False)
        return _import_config()
    _refuse_flags_of("--from_images", _OF_IMPORT[1:], wanted=True)
    if _RUNNER.value is None:
        _refuse_flags_of("--runner", ("beam_options",), wanted=True)
    return _generate_config()


_OF_STYLE = ("style", "width", "height", "length", "alphabet", "fonts")
_OF_DRAWING = ("n", "renderer", "with_map")
_OF_IMPORT = ("from_images", "label_pattern", "label_case", "resize")
_OF_BEAM = ("runner", "beam_options")
_OF_BOTH = ("n_test", "seed", "encoding")


def _preview(path: pathlib.Path) -> None:
    taken = ("like", "out", "overwrite", *_OF_IMPORT, *_OF_BEAM)
    _refuse_flags_of("--preview", taken, wanted=False)
    if path.suffix.lower() != ".png":
        raise ValueError(f"`preview` must be a .png, received '{path}'. Name it so.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_first_examples(_generate_config(), path)
    print(f"look at {path}")


def _generate_config() -> GenerateConfig:
    return GenerateConfig(
        style=_style(),
        num_train=_N.value,
        num_test=_N.value // 10 if _N_TEST.value is None else _N_TEST.value,
        out_dir=_out_dir(),
        seed=_SEED.value,
        encoding=_ENCODING.value,
        with_map=_WITH_MAP.value,
        renderer=_RENDERER.value,
        overwrite=_OVERWRITE.value,
        num_workers=_num_workers(),
    )


def _style() -> Style:
    given = {
        "width_px": _WIDTH.value,
        "height_px": _HEIGHT.value,
        "alphabet": _ALPHABET.value,
        "font_paths": find_fonts(_FONTS.value) or None,
    }
    if _LENGTH.value is not None:
        given["min_length"], given["max_length"] = parse_length(_LENGTH.value)
    changes = {name: value for name, value in given.items() if value is not None}
    return load_style(_STYLE.value, changes)


def _out_dir() -> pathlib.Path | str:
    # A path would make gs:/bucket of gs://bucket.
    return _OUT.value if is_url(_OUT.value) else pathlib.Path(_OUT.value)


def _num_workers() -> int:
    return num_cores() if _WORKERS.value is None else _WORKERS.value


def _import_config() -> ImportConfig:
    return ImportConfig(
        source=pathlib.Path(_FROM_IMAGES.value),
        out_dir=_out_dir(),
        label_pattern=_LABEL_PATTERN.value,
        label_case=_LABEL_CASE.value,
        num_test=_N_TEST.value,
        seed=_SEED.value,
        width_px=_WIDTH.value,
        height_px=_HEIGHT.value,
        lengths=None if _LENGTH.value is None else parse_length(_LENGTH.value),
        alphabet=_ALPHABET.value,
        resize=_RESIZE.value,
        encoding=_ENCODING.value,
        overwrite=_OVERWRITE.value,
        num_workers=_num_workers(),
    )


def _refuse_flags_of(option: str, names: tuple[str, ...], *, wanted: bool) -> None:
    for name in names:
        if flags.FLAGS[name].present:
            raise ValueError(
                f"`{name}` goes {'only' if wanted else 'not'} with {option}, received "
                f"{flags.FLAGS[name].value!r}. Leave out one of the two."
            )


if __name__ == "__main__":
    command_line.run(main)
