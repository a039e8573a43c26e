import re

import pytest

from data_gen.label_list import Row, read_label_list

FIRST, SECOND = Row(2, "1.png", "0042"), Row(3, "2.png", "aB3x")


def written(tmp_path, name, text, encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return tmp_path / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "file,label\n1.png,0042\n2.png,aB3x\n"),
        ("a.CSV", "file,label\r\n1.png,0042\r\n2.png,aB3x\r\n"),
        ("a.csv", "\ufefffile,label\n1.png,0042\n2.png,aB3x"),
        ("a.csv", "file;label\n1.png;0042\n2.png;aB3x\n"),
        ("a.csv", 'file, label\n1.png, 0042\n2.png, "aB3x"\n'),
        ("a.csv", "File,LABEL \n 1.png ,\t0042\n2.png,aB3x  \n"),
        ("a.csv", "confidence,label,file,note\n0.9,0042,1.png,\n,aB3x,2.png,b\n"),
        ("a.csv", "file,label,,\n1.png,0042,,\n2.png,aB3x,,\n,,,\n"),
        ("a.csv", 'file,label\n"1.png","0042"\n2.png,aB3x\n\n'),
        ("a.tsv", "file\tlabel\n1.png\t0042\n2.png\taB3x\n"),
        ("a.tsv", "label\tfile\n0042\t1.png\naB3x\t2.png\n"),
    ],
    ids=[
        "csv",
        "windows_line_ends",
        "byte_order_mark",
        "semicolons",
        "spaces_after_commas",
        "spaces_and_case_of_the_header",
        "more_columns_in_any_order",
        "empty_columns_of_a_spreadsheet",
        "quoted",
        "tsv",
        "tsv_in_another_order",
    ],
)
def test_tables_of_file_and_label(tmp_path, name, text):
    assert list(read_label_list(written(tmp_path, name, text))) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"file": "1.png", "label": "0042"}\n', ("1.png", "0042", None)),
        ('{"label": " aB3x ", "file": "1.png", "by": 3}', ("1.png", "aB3x", None)),
        ('{"file": "验.png", "label": "\\u9a8c"}', ("验.png", "验", None)),
        ('{"file": "1.png", "label": 3887}', ("1.png", "", "text, received 3887: write it in qu")),
        ('{"file": "1.png", "label": true}', ("1.png", "", "text, received true")),
        ('{"file": "1.png", "label": ["a"]}', ("1.png", "", "text, received")),
        ('{"file": 1, "label": "0042"}', ("", "0042", "its file must be text, received 1")),
        ('{"file": "1.png", "label": null}', ("1.png", "", "it has no label")),
        ('{"file": "1.png"}', ("1.png", "", "it has no label")),
        ('{"label": "0042"}', ("", "0042", "it names no file")),
        ('{"file": "1.png", "label": 0042}', ("", "", "no JSON: ")),
        ("1.png,0042", ("", "", "no JSON: ")),
        ("[" * 100_000, ("", "", "no JSON: ")),
        ("9" * 5000, ("", "", "no JSON: ")),
        ('["1.png", "0042"]', ("", "", "no object such as ")),
    ],
)
def test_a_line_of_json(tmp_path, text, expected):
    path = written(tmp_path, "a.jsonl", f"\n{text}\n")
    (row,) = read_label_list(path)
    file, label, problem = expected
    assert (row.line, row.file, row.label) == (2, file, label)
    assert (row.problem is None) == (problem is None)
    assert problem is None or problem in row.problem


@pytest.mark.parametrize(
    ("line", "file", "problem"),
    [
        ("1.png,", "1.png", "it has no label"),
        ("1.png", "1.png", "it has no label"),
        ("1.png,   ", "1.png", "it has no label"),
        (",0042", "", "it names no file"),
        ("1.png,a,b", "1.png", "its line has 3 values, the header 2: quote them"),
    ],
)
def test_a_line_that_says_too_little_or_too_much_has_its_problem(tmp_path, line, file, problem):
    path = written(tmp_path, "a.csv", f"file,label\n{line}\n2.png,aB3x\n")
    broken, whole = read_label_list(path)
    assert (broken.line, broken.file, broken.problem) == (2, file, problem)
    assert whole == SECOND


@pytest.mark.parametrize(
    ("name", "text", "encoding", "message"),
    [
        ("a.csv", "", "utf-8", "must have the columns file,label, each once, received nothing."),
        ("a.csv", "name,text\n", "utf-8", "must have the columns file,label, each once, received"),
        ("a.csv", "file,label,label\n", "utf-8", "each once, received file,label,label"),
        (
            "a.csv",
            'file,label\n1.png,"a\n2.png,b\n',
            "utf-8",
            "must be a CSV in UTF-8, received one",
        ),
        ("a.tsv", "file\tlabel\n1.png\té\n", "latin-1", "must be a TSV in UTF-8, received one"),
        ("a.jsonl", '{"file": "é"}', "utf-16", "must be a JSONL in UTF-8, received one"),
        ("a.txt", "file,label\n", "utf-8", "must end in .csv, .tsv, .jsonl, received"),
        ("a.png", "file,label\n", "utf-8", "must end in .csv, .tsv, .jsonl, received"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path, name, text, encoding, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        list(read_label_list(written(tmp_path, name, text, encoding)))
