import dataclasses
import re

import pytest

from records.schema import (
    FIELDS,
    Field,
    captcha_fields,
    check_fields,
    field_of,
    has_blank,
    read_data_info,
    write_data_info,
)

IMAGE = Field(name="image_raw", feature="image", dtype="uint8", shape=(30, 100, 3), storage="raw")
LABEL = Field(name="label", feature="label", dtype="int64", shape=(4,), storage="int64_list")
LENGTH = Field(name="length", feature="length", dtype="int64", shape=(1,), storage="int64_list")
MAP = Field(name="map_raw", feature="map", dtype="uint8", shape=(30, 100), storage="raw")
HEADER = "name,feature,dtype,shape,storage\n"


def read(tmp_path, text):
    path = tmp_path / "data_info.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_data_info(path)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, (IMAGE, LABEL)),
        ({"with_map": True}, (IMAGE, LABEL, MAP)),
        ({"variable_length": True}, (IMAGE, LABEL, LENGTH)),
        ({"encoding": "png"}, (dataclasses.replace(IMAGE, storage="png"), LABEL)),
        ({"encoding": "jpeg"}, (dataclasses.replace(IMAGE, storage="jpeg"), LABEL)),
    ],
    ids=["default", "with_map", "variable_length", "png", "jpeg"],
)
def test_captcha_fields_are_those_of_the_design(options, fields):
    assert captcha_fields(height_px=30, width_px=100, num_positions=4, **options) == fields


def test_every_feature_of_the_table_is_written():
    fields = captcha_fields(
        height_px=30, width_px=100, num_positions=4, with_map=True, variable_length=True
    )
    assert [field.feature for field in fields] == list(FIELDS)


def test_sizes_follow_from_shape_and_dtype():
    assert (IMAGE.num_values, IMAGE.num_bytes) == (9000, 9000)
    assert (LABEL.num_values, LABEL.num_bytes) == (4, 32)  # int64 takes 8 bytes.


def test_field_of_finds_by_feature():
    assert field_of((IMAGE, LABEL), "label") is LABEL


@pytest.mark.parametrize(
    ("fields", "blank"),
    [((IMAGE, LABEL), False), ((IMAGE, LABEL, MAP), False), ((IMAGE, LABEL, LENGTH), True)],
    ids=["fixed", "with_map", "variable"],
)
def test_labels_have_a_blank_exactly_if_there_is_a_length(fields, blank):
    assert has_blank(fields) is blank


@pytest.mark.parametrize(
    ("change", "message"),
    [({"shape": (2,)}, r"must be 1 with sizes"), ({"storage": "raw"}, "must be one of int64_list")],
    ids=["two_lengths", "raw"],
)
def test_a_length_is_one_integer_in_a_list(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LENGTH, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "image raw"}, "`name` of a field must be letters, .* received 'image raw'"),
        ({"name": ""}, "`name` of a field must be letters, .* received ''"),
        ({"feature": "picture"}, "must be one of image, label, length, map, received 'picture'"),
        ({"dtype": "float32"}, "must be uint8 for the feature image, received 'float32'"),
        ({"shape": (30, 100)}, r"must be HxWx3 with sizes of 1 or more, received \(30, 100\)"),
        ({"shape": (30, 100, 1)}, r"must be HxWx3 .* received \(30, 100, 1\)"),
        ({"shape": (0, 100, 3)}, r"must be HxWx3 .* received \(0, 100, 3\)"),
        ({"storage": "gif"}, "must be one of raw, png, jpeg .* received 'gif'"),
    ],
    ids=["space", "no_name", "feature", "dtype", "rank", "grey", "no_height", "storage"],
)
def test_a_field_outside_the_table_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(IMAGE, **change)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((IMAGE, dataclasses.replace(LABEL, name="image_raw")), "`name` must differ"),
        ((IMAGE, LABEL, dataclasses.replace(LABEL, name="other")), "`feature` must differ"),
        ((IMAGE,), "must be the feature 'label', received image"),
        ((), "must be the feature 'image', received -"),
        (
            (IMAGE, LABEL, dataclasses.replace(MAP, shape=(30, 99))),
            "must be the image's 30x100, received 30x99",
        ),
    ],
    ids=["name_twice", "feature_twice", "no_label", "nothing", "map_size"],
)
def test_fields_that_make_no_record_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        check_fields(fields)


def test_data_info_is_written_as_the_design_has_it():
    assert write_data_info((IMAGE, LABEL, LENGTH, MAP)) == (
        "name,feature,dtype,shape,storage\n"
        "image_raw,image,uint8,30x100x3,raw\n"
        "label,label,int64,4,int64_list\n"
        "length,length,int64,1,int64_list\n"
        "map_raw,map,uint8,30x100,raw\n"
    )


def test_what_was_written_reads_back(tmp_path):
    fields = (dataclasses.replace(IMAGE, storage="png"), LABEL, LENGTH, MAP)
    assert read(tmp_path, write_data_info(fields)) == fields


def test_the_books_own_layout_reads(tmp_path):
    text = HEADER + "image_raw,image,uint8,30x100x3,raw\nlabel_raw,label,int64,4,raw\n"
    book_label = Field(name="label_raw", feature="label", dtype="int64", shape=(4,), storage="raw")
    assert read(tmp_path, text) == (IMAGE, book_label)


@pytest.mark.parametrize(
    "shape", ["30x100x3", "[30,100,3]", '"(30, 100, 3)"', "(30, 100, 3)", "30 100 3", "[30 100 3]"]
)
def test_a_shape_may_be_written_in_many_ways(tmp_path, shape):
    text = HEADER + f"image_raw,image,uint8,{shape},raw\nlabel,label,int64,[4],int64_list\n"
    assert read(tmp_path, text) == (IMAGE, LABEL)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("\n", "\n\n") + ",,,,\n",
    ],
    ids=["byte_order_mark", "dos_lines", "spaces", "empty_lines"],
)
def test_what_a_spreadsheet_does_to_the_file_does_not_matter(tmp_path, change):
    assert read(tmp_path, change(write_data_info((IMAGE, LABEL)))) == (IMAGE, LABEL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 must be name,feature,dtype,shape,storage, received ''"),
        ("\n", "line 1 must be name,feature,dtype,shape,storage, received ''"),
        ("name,shape\n", "line 1 must be .* received 'name,shape'"),
        (b"\xff\xfe\x00", "must be a text file in UTF-8"),
        (HEADER, "must be the feature 'image', received -"),
        (HEADER + "image_raw,image,uint8,raw\n", "line 2: a row must have 5 values"),
        (HEADER + "image_raw,image,uint8,30x-1x3,raw\n", "line 2: `shape` must be sizes"),
        (HEADER + "image_raw,image,uint8,30x1e2x3,raw\n", "line 2: `shape` must be sizes"),
        (HEADER + "image_raw,image,uint8,,raw\n", "line 2: `shape` must be sizes"),
        (HEADER + "image_raw,image,uint8,٣x٣x3,raw\n", "line 2: `shape` must be sizes"),
        (HEADER + "\nimage_raw,image,int8,30x100x3,raw\n", "line 3: `dtype` of field 'image_raw'"),
        (HEADER + "x" * 200_000 + "\n", "must be a CSV file"),
    ],
    ids=[
        "empty_file",
        "empty_line",
        "header",
        "not_text",
        "no_rows",
        "row_too_short",
        "negative",
        "not_whole",
        "no_shape",
        "other_digits",
        "dtype",
        "endless_value",
    ],
)
def test_a_damaged_data_info_is_refused_with_file_and_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "data_info.csv"))
    assert not re.search("\n", str(caught.value))


def test_a_missing_data_info_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "data_info.csv"))):
        read_data_info(tmp_path / "data_info.csv")
