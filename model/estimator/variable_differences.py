"""How the variables of a checkpoint differ from those of a program, for people to read."""

import difflib
import itertools
import re
from collections.abc import Mapping


def differences_between(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Lists what differs; empty if nothing does.

    Args:
      ours: Name to dtype and shape of each variable of the program, in order.
      theirs: The same of the checkpoint.

    Returns:
      A phrase for each difference. The two are aligned first, so that a layer put in or left out
      does not make all that follow it differ.
    """
    matcher = difflib.SequenceMatcher(None, _unnumbered(theirs), _unnumbered(ours), autojunk=False)
    differences = []
    for what, their_start, their_end, our_start, our_end in matcher.get_opcodes():
        if what != "equal":
            pairs = itertools.zip_longest(
                list(ours.items())[our_start:our_end],
                list(theirs.items())[their_start:their_end],
                fillvalue=(None, None),
            )
            differences += [_difference(*our, *their) for our, their in pairs]
    return differences


def _difference(our_name, our_spec, their_name, their_spec) -> str:
    if their_name is None:
        return f"{our_name} {our_spec} is not in the checkpoint"
    if our_name is None:
        return f"{their_name} {their_spec} is in the checkpoint alone"
    return f"{our_name} is {our_spec}, in the checkpoint {their_spec}"


def _unnumbered(specs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names without the numbers that Keras gives to layers over the whole process."""
    return [(re.sub(r"_\d+(?=[_/]|$)", "", name), spec) for name, spec in specs.items()]
