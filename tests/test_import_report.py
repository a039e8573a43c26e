import csv
import json

import pytest

from data_gen.import_report import make_report, report_lines, write_report
from data_gen.import_warnings import import_warnings
from data_gen.label_source import LabelledFile, LabelSource
from data_gen.picture_files import Picture
from data_gen.picture_selection import Common, Selection
from data_gen.rejection import CONFLICT, NO_PICTURE, OTHER_SIZE, Rejected


def picture(name, label, size=(70, 30), pixels=None):
    return Picture(name, "", label, size, (pixels or name).encode())


ACCEPTED = [
    *[picture(f"{index}.png", f"{index:02d}") for index in range(97)],
    picture("again.gif", "00", pixels="0.png"),
    picture("again.png", "00", pixels="0.png"),
    picture("wide.png", "123", size=(80, 30)),
]
CONFLICTING = [picture("x.png", "1", pixels="x"), picture("y.png", "2", pixels="x")]
OTHER = picture("tall.png", "12345", size=(70, 99))
REJECTED = [
    Rejected("a,b.png", NO_PICTURE, 'damaged: "cut"'),
    Rejected("tall.png", OTHER_SIZE, "it is 70 x 99 px"),
    *[Rejected(file.name, CONFLICT, "the same picture") for file in CONFLICTING],
    Rejected("\udcff.png", NO_PICTURE, "empty"),
]


def report_of(num_test=10):
    files = [LabelledFile(name, "", "") for name in "x" * 105]
    return make_report(
        LabelSource(files, num_repeated=7, unlisted=("new.png",)),
        [*ACCEPTED, OTHER, *CONFLICTING],
        Selection(
            accepted=ACCEPTED,
            rejected=REJECTED,
            common=Common(size=(70, 30), lengths=(2, 3)),
            alphabet="0123456789",
            conflicts=[CONFLICTING],
        ),
        num_test,
    )


def test_the_report_has_every_file_and_every_count():
    report = report_of()
    assert list(report["lengths_found"]) == ["1", "2", "3", "5"]
    assert report.pop("characters") == {
        str(k): sum(file.label.count(str(k)) for file in ACCEPTED) for k in range(10)
    }
    assert len(report.pop("warnings")) == 3
    assert report == {
        "files": 105,
        "accepted": 100,
        "train": 90,
        "test": 10,
        "rejected": 5,
        "size": "70x30",
        "length": "2-3",
        "resized": 1,
        "repeated_lines": 7,
        "sizes": {"70x30": 99, "80x30": 1},
        "sizes_found": {"70x30": 101, "70x99": 1, "80x30": 1},
        "lengths": {"2": 99, "3": 1},
        "lengths_found": {"2": 99, "1": 2, "3": 1, "5": 1},
        "rejected_by_kind": {NO_PICTURE: 2, CONFLICT: 2, OTHER_SIZE: 1},
        "duplicates": [{"label": "00", "files": ["0.png", "again.gif", "again.png"]}],
        "conflicts": [{"x.png": "1", "y.png": "2"}],
        "unlisted": ["new.png"],
        "rejected_files": [
            {"file": file.name, "kind": file.kind, "reason": file.reason} for file in REJECTED
        ],
    }


def test_the_report_in_short():
    assert list(report_lines(report_of())) == [
        "files      |      105 | repeated lines: 7",
        "accepted   |      100 | 90 train, 10 test",
        "rejected   |        5 | 2 no picture that can be read, 2 same picture under two labels, "
        "1 another size",
        "size       |    70x30 | 1 resized to it",
        "length     |      2-3 | 2 (99), 3 (1); left out: 1 (2), 5 (1)",
        "identical  |        3 | groups: 1, none on both sides of the split",
        "characters | 0 24     1 21     2 21     3 21     4 20     5 20     6 20     7 19     "
        "8 19     9 16",
        "look at    | few labels have 3 characters (1): if they are wrong, leave them out with "
        "--length",
        "look at    | 10 pictures to test on are few: each is 10.0 points of accuracy",
        "look at    | pictures of the folder that are not on its list: 1, for example new.png",
    ]


def test_nothing_is_said_where_nothing_is_to_be_said():
    accepted = [picture(f"{index}.png", f"{index:04d}") for index in range(1000)]
    files = [LabelledFile(file.name, "", file.label) for file in accepted]
    selection = Selection(
        accepted, [], Common(size=(70, 30), lengths=(4, 4)), "0123456789", conflicts=[]
    )
    lines = list(report_lines(make_report(LabelSource(files), accepted, selection, 100)))
    assert lines[:-1] == [
        "files      |     1000",
        "accepted   |     1000 | 900 train, 100 test",
        "rejected   |        0",
        "size       |    70x30",
        "length     |        4",
    ]
    assert lines[-1].startswith("characters | 0 1300 ")


def test_the_files_can_be_read_whatever_the_names_are(tmp_path):
    report = report_of()
    write_report(report, tmp_path)
    with (tmp_path / "rejected.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "reason"]
    assert rows[0] == ["a,b.png", 'damaged: "cut"']
    assert rows[-1] == ["\\udcff.png", "empty"]
    read = json.loads((tmp_path / "import_report.json").read_text(encoding="utf-8"))
    assert read == report


def warnings(labels=(), lengths=None, test=100, unlisted=(), **counts):
    """With all digits frequent, unless `counts` has others: d0=3 is '0' three times."""
    characters = dict.fromkeys("0123456789", 50)
    characters |= {name.removeprefix("d"): count for name, count in counts.items()}
    report = {
        "characters": {char: count for char, count in characters.items() if count is not None},
        "lengths": lengths or {"4": 200},
        "test": test,
        "unlisted": unlisted,
    }
    return import_warnings(report, list(labels))


UPPER = dict.fromkeys("ABCDEFGHJKLMNPQRSTUVWXYZ", 50)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"d7": 9, "d3": 0}, ["3 (0), 7 (9): a character that comes fewer than 10 times"]),
        ({"d7": 10}, []),
        (dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1), ["J (1) and others: a character"]),
        (UPPER, ["no label has I O, and the others of A-Z come"]),
        ({"a": 50, "b": 50}, []),
        ({"d0": None}, ["no label has 0, and the others of 0-9 come"]),
        ({"a": 50, "b": 50, "B": 50}, ["labels have both b and B: where the case"]),
        ({"lengths": {"4": 1000, "5": 9}}, ["few labels have 5 characters (9)"]),
        ({"lengths": {"4": 1000, "5": 10}}, []),
        ({"lengths": {"4": 49, "5": 1}}, []),
        ({"lengths": {"4": 50, "5": 1}}, ["few labels have 5 characters (1)"]),
        ({"lengths": {"4": 9}}, []),
        ({"test": 99}, ["99 pictures to test on are few: each is 1.0 points of accuracy"]),
        ({"unlisted": ("a.png", "b.png")}, ["that are not on its list: 2, for example a.png"]),
        ({"labels": ["1234", "42"] * 50}, ["labels of digits vary in length and none begins with"]),
        ({"labels": ["1234", "42"] * 49}, []),
        ({"labels": ["1234", "42"] * 50 + ["0042"]}, []),
        ({"labels": ["1234"] * 100}, []),
        ({"labels": ["a234", "a2"] * 50}, []),
    ],
)  # fmt: skip
def test_what_people_should_look_at(options, expected):
    found = warnings(**options)
    assert len(found) == len(expected)
    for warning, start in zip(found, expected, strict=True):
        assert start in warning
