"""The variables of a program by name, in the groups in which a checkpoint holds them.

`net` holds the weights, `random` the states of seed generators (dropout), `optimizer` its slots and
its count of updates, `average` the moving averages of trainable weights, where there are any. The
learning rate is in none: it is configuration.
"""

import tensorflow as tf

from model.estimator.program import Program
from model.estimator.tf_variables import tf_variable


def all_variables(program: Program) -> dict[str, dict[str, tf.Variable]]:
    """The groups `net`, `random`, `optimizer` and `average`, each by name and in order.

    The network must hold its weights, and not their averages.
    """
    optimizer = program.optimizer
    # A plain number is a variable of the optimizer: saved, it would override the one that the next
    # run asks for. A schedule is none.
    rate = optimizer.learning_rate
    state = [variable for variable in optimizer.variables if variable is not rate]
    groups = {**network_variables(program), "optimizer": _by_name(state)}
    return {**groups, "average": averages_by_name(program)}


def averages_by_name(program: Program) -> dict[str, tf.Variable]:
    """The averages under the names of their weights; empty if there are none."""
    if program.average is None:
        return {}
    names = {id(variable): name for name, variable in network_variables(program)["net"].items()}
    weights = [tf_variable(variable) for variable in program.net.trainable_variables]
    return {
        names[id(weight)]: average
        for weight, average in zip(weights, program.average.variables, strict=True)
    }


def network_variables(program: Program) -> dict[str, dict[str, tf.Variable]]:
    """The groups `net` and `random`, for which no optimizer is needed."""
    # Keras does not count the states of seed generators among the weights, and a checkpoint of the
    # model object would lose them: to TensorFlow a SeedGenerator is not trackable.
    weights = list(getattr(program.net, "weights", program.net.variables))
    known = {id(variable) for variable in weights}
    random = [variable for variable in program.net.variables if id(variable) not in known]
    return {"net": _by_name(weights), "random": _by_name(random)}


def _by_name(variables: list) -> dict[str, tf.Variable]:
    """Variables under their paths; the second of one name gets "_1", and so on."""
    named = {}
    for variable in variables:
        path = getattr(variable, "path", variable.name.removesuffix(":0"))
        name, number = path, 0
        while name in named:
            number += 1
            name = f"{path}_{number}"
        named[name] = tf_variable(variable)
    return named
