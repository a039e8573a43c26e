import pytest

from data_gen.picture_files import Picture
from data_gen.picture_selection import (
    Wanted,
    find_alphabet,
    find_common,
    rejected_conflicts,
    select,
    without_conflicts,
)
from data_gen.picture_split import split


def pictures(*labels, size=(70, 30), pixels=None):
    """One picture a label; with `pixels`, equal ones are equal pictures."""
    return [
        Picture(f"{index}.png", "", label, size, (pixels or labels)[index].encode())
        for index, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "wanted", "lengths"),
    [
        (["1234"] * 10, None, (4, 4)),
        (["1234"] * 9 + ["123"], None, (4, 4)),
        (["1234"] * 8 + ["123", "1"], None, (1, 4)),
        (["12", "123", "1234"], None, (2, 4)),
        (["12", "123", "1234"], (3, 6), (3, 6)),
        (["1234"] * 10, (4, 4), (4, 4)),
        (["1234"] * 10, (5, 5), (5, 5)),
    ],
    ids=[
        "one_length",
        "one_in_ten_is_a_mistake",
        "two_in_ten_are_not",
        "all_lengths",
        "as_wanted",
        "wanted_and_so",
        "wanted_and_not_so",
    ],
)
def test_the_lengths_that_labels_have(labels, wanted, lengths):
    common = find_common(pictures(*labels), Wanted(lengths=wanted))
    assert common.lengths == lengths
    assert common.num_positions == lengths[1]
    assert common.variable_length == (lengths[0] < lengths[1])


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (Wanted(), (70, 30)),
        (Wanted(width_px=35), (35, 30)),
        (Wanted(width_px=1, height_px=2), (1, 2)),
    ],
)
def test_the_size_is_the_most_frequent_one_unless_it_is_wanted(wanted, size):
    members = pictures("1", "2", "3") + pictures("4", "5", size=(80, 30))
    assert find_common(members, wanted).size == size


def test_of_sizes_that_are_equally_frequent_it_is_the_smallest_in_any_order():
    members = pictures("1", size=(80, 30)) + pictures("2")
    for order in (members, members[::-1]):
        assert find_common(order, Wanted()).size == (70, 30)


@pytest.mark.parametrize(
    ("picture", "wanted", "reason"),
    [
        (pictures("123"), Wanted(), "label '123' is not 4 characters long"),
        (pictures("12"), Wanted(lengths=(3, 6)), "label '12' is not 3 to 6 characters long"),
        (pictures("12a4"), Wanted(alphabet="1234"), "label '12a4' has 'a', not in --alphabet"),
        (pictures("1a34"), Wanted(alphabet="abcd"), "label '1a34' has '1', not in --alphabet"),
        (pictures("1234", size=(71, 30)), Wanted(),
         "it is 71 x 30 px, not 70 x 30; --resize=stretch or pad takes it"),
        (pictures("1234", size=(71, 30)), Wanted(any_size=True), None),
        (pictures("1234"), Wanted(lengths=(3, 6), alphabet="1234"), None),
    ],
)  # fmt: skip
def test_a_picture_fits_or_has_its_reason(picture, wanted, reason):
    common = find_common(pictures(*["1234"] * 10), wanted)
    accepted, rejected = select(picture, common, wanted)
    assert (accepted == picture) == (reason is None)
    assert [file.reason for file in rejected] == ([] if reason is None else [reason])


def test_pictures_under_two_labels_are_all_left_out_and_all_labels_are_told():
    members = pictures("1", "2", "1", "3", "3", pixels="xxxyy")
    kept, conflicts = without_conflicts(members)
    assert [picture.name for picture in kept] == ["3.png", "4.png"]
    assert [(file.name, file.reason) for file in rejected_conflicts(conflicts)] == [
        (f"{index}.png", "the same picture is labelled '1' in 0.png and '2' in 1.png")
        for index in range(3)
    ]


def test_of_many_labels_of_one_picture_three_are_told():
    _, conflicts = without_conflicts(pictures(*"12345", pixels="xxxxx"))
    assert rejected_conflicts(conflicts)[4].reason == (
        "the same picture is labelled '1' in 0.png and '2' in 1.png and '3' in 2.png ..."
    )


@pytest.mark.parametrize(
    ("labels", "alphabet"),
    [(["12", "3"], "0123456789"), (["b1", "a"], "1ab"), (["Ä", "é"], "Äé")],
)
def test_the_alphabet_that_labels_have(labels, alphabet):
    assert find_alphabet(pictures(*labels)) == alphabet


@pytest.mark.parametrize(("num_test", "received"), [(None, 3), (1, 3), (3, 3), (4, 6), (29, 30)])
def test_a_split_has_what_is_asked_for_and_keeps_identical_pictures_together(num_test, received):
    members = pictures(*[str(index // 3) for index in range(33)])
    train, test = split(members, num_test, seed=0)
    assert len(test) == received
    assert not {picture.label for picture in train} & {picture.label for picture in test}
    assert sorted(train + test) == sorted(members)


def test_a_split_does_not_depend_on_the_order_of_the_pictures():
    members = pictures(*"abcdefghij")
    assert set(split(members, 4, seed=1)[1]) == set(split(members[::-1], 4, seed=1)[1])
    assert set(split(members, 4, seed=1)[1]) != set(split(members, 4, seed=2)[1])
