"""Renders labelled captchas, or imports labelled pictures, and writes them as TFRecords.

python data_gen --n 50000                                   # 50,000 to train on, 5,000 to test
python data_gen --n 50000 --width 160 --height 60 --length 5 --out wide_data
python data_gen --from_images my_captchas --out my_data     # 3887.png, 3887_0001.png, ...
"""

import pathlib
import sys

# `python data_gen` puts this folder first on the path; ours are imported from the one above.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

import time

from absl import flags

import command_line
from data_gen.generate import GenerateConfig, generate
from data_gen.import_images import ImportConfig, import_images
from data_gen.label_source import DEFAULT_LABEL_PATTERN
from data_gen.parallel import num_cores
from data_gen.picture_files import RESIZES
from data_gen.style import Style, find_fonts
from records.schema import ENCODINGS

_STYLE = Style()
_N = flags.DEFINE_integer("n", 50000, "How many captchas to train on.")
_N_TEST = flags.DEFINE_integer(
    "n_test", None, "How many captchas to test on. By default a tenth of --n."
)
_OUT = flags.DEFINE_string("out", "captcha_data", "Folder of the dataset, made by this program.")
_SEED = flags.DEFINE_integer("seed", 0, "Another seed draws other captchas; the same one the same.")
_WORKERS = flags.DEFINE_integer(
    "workers", None, "Processes. By default one a core. The files do not depend on it."
)
_WIDTH = flags.DEFINE_integer("width", None, f"Pixels. By default {_STYLE.width_px}.")
_HEIGHT = flags.DEFINE_integer("height", None, f"Pixels. By default {_STYLE.height_px}.")
_LENGTH = flags.DEFINE_integer("length", None, f"Characters. By default {_STYLE.num_positions}.")
_ALPHABET = flags.DEFINE_string("alphabet", None, f"By default {_STYLE.alphabet}.")
_FONTS = flags.DEFINE_list(
    "fonts", [], "Font files, or folders of them. By default the captcha library's own."
)
_ENCODING = flags.DEFINE_enum(
    "encoding", "raw", ENCODINGS, "Of pictures in records. raw reads fastest, png is smallest."
)
_WITH_MAP = flags.DEFINE_bool("with_map", False, "Also store which pixels are which character.")
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the dataset at --out, once it is whole."
)
_FROM_IMAGES = flags.DEFINE_string(
    "from_images",
    None,
    "Import these pictures instead of rendering: a folder whose file names carry the label, or a "
    "CSV of file,label. Size, length and alphabet are found unless given.",
)
_LABEL_PATTERN = flags.DEFINE_string(
    "label_pattern",
    DEFAULT_LABEL_PATTERN,
    r"With --from_images: regular expression whose group is the label, for the file name without "
    r"suffix. For 0001_3887.png: '\d+_(\d+)'.",
)
_RESIZE = flags.DEFINE_enum(
    "resize", "error", RESIZES, "With --from_images: what to do with pictures of another size."
)


def main(_: list[str]) -> None:
    """Renders, or imports if --from_images says so."""
    started = time.monotonic()
    config = _generate_config() if _FROM_IMAGES.value is None else _import_config()
    if isinstance(config, ImportConfig):
        import_images(config)
        print(f"{config.out_dir}: {time.monotonic() - started:.1f} s")
    else:
        generate(config)
        seconds = time.monotonic() - started
        total = config.num_train + config.num_test
        print(
            f"{config.out_dir}: {config.num_train} train and {config.num_test} test captchas in "
            f"{seconds:.1f} s, {total / seconds:.0f} a second on {config.num_workers} workers"
        )
    print(f"look at {config.out_dir / 'preview.png'}")
    print(f"next: python train.py --flagfile=configs/captcha.flags --data_dir={config.out_dir}")


def _generate_config() -> GenerateConfig:
    _refuse_flags_of("--from_images", ("label_pattern", "resize"), wanted=True)
    given = {
        "width_px": _WIDTH.value,
        "height_px": _HEIGHT.value,
        "num_positions": _LENGTH.value,
        "alphabet": _ALPHABET.value,
        "font_paths": find_fonts(_FONTS.value) or None,
    }
    style = Style(**{name: value for name, value in given.items() if value is not None})
    return GenerateConfig(
        style=style,
        num_train=_N.value,
        num_test=_N.value // 10 if _N_TEST.value is None else _N_TEST.value,
        out_dir=pathlib.Path(_OUT.value),
        seed=_SEED.value,
        encoding=_ENCODING.value,
        with_map=_WITH_MAP.value,
        overwrite=_OVERWRITE.value,
        num_workers=num_cores() if _WORKERS.value is None else _WORKERS.value,
    )


def _import_config() -> ImportConfig:
    _refuse_flags_of("--from_images", ("n", "fonts", "with_map"), wanted=False)
    return ImportConfig(
        source=pathlib.Path(_FROM_IMAGES.value),
        out_dir=pathlib.Path(_OUT.value),
        label_pattern=_LABEL_PATTERN.value,
        num_test=_N_TEST.value,
        seed=_SEED.value,
        width_px=_WIDTH.value,
        height_px=_HEIGHT.value,
        num_positions=_LENGTH.value,
        alphabet=_ALPHABET.value,
        resize=_RESIZE.value,
        encoding=_ENCODING.value,
        overwrite=_OVERWRITE.value,
        num_workers=num_cores() if _WORKERS.value is None else _WORKERS.value,
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
