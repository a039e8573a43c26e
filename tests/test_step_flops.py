import pytest

from benchmarks.onednn_times import kind_of, times_by_problem
from benchmarks.step_flops import count_flops, total_flops

N = 2
CONVOLUTION = 2 * N * (4 * 6) * (3 * 3 * 3 * 2)  # Two for each place, weight and picture: 5184.
DENSE = 2 * N * (2 * 3 * 2) * 5  # 240.


@pytest.fixture(scope="module")
def layers():
    import keras

    network = keras.Sequential(
        [
            keras.Input([4, 6, 3]),
            keras.layers.Conv2D(2, 3, padding="same", name="conv"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(5, name="dense"),
        ]
    )
    return count_flops(network, batch_size=N)


def test_operations_are_those_counted_by_hand(layers):
    assert [(layer.name, layer.flops) for layer in layers] == [
        ("conv", CONVOLUTION),
        ("dense", DENSE),
    ]
    assert total_flops(layers, "forward") == CONVOLUTION + DENSE
    assert total_flops(layers, "by_weights") == CONVOLUTION + DENSE
    assert total_flops(layers, "by_inputs") == DENSE  # Nobody asks for the picture's gradient.
    assert total_flops(layers) == 2 * CONVOLUTION + 3 * DENSE == 11088


@pytest.mark.parametrize(
    ("name", "filters", "units", "num_columns", "seen"),
    [
        ("attention_small", 8, 64, 25, 4 * 3 * 64 * 64),
        ("attention_fine", 16, 128, 50, 4 * 5 * 96 * 128),
    ],
)
def test_a_network_takes_as_many_operations_as_its_widths_say(
    name, filters, units, num_columns, seen
):
    from model.networks import NetworkConfig, build_network

    network = build_network(
        NetworkConfig(name=name, image_shape=(30, 100, 3), num_positions=4, num_classes=10)
    )
    layers = {layer.name: layer.flops for layer in count_flops(network, batch_size=1)}
    assert layers["conv1_1"] == 2 * 30 * 100 * 9 * 3 * filters
    assert layers["position_3"] == 2 * units * 10
    assert layers["position_any"] == 4 * (2 * 2 * units * 10)  # At each of four positions.
    assert layers["conv_columns"] == 2 * num_columns * seen


CONV = "src:bf16 wei:bf16 bia:bf16 dst:bf16,attr,alg:convolution_direct"
SHAPE = "mb2_ic3oc2_ih4oh4kh3sh1dh0ph1_iw6ow6kw3sw1dw0pw1"
START = "onednn_verbose,v1,primitive,exec,cpu,"


def test_what_onednn_says_belongs_to_the_layers(layers):
    lines = [
        "onednn_verbose,v1,info,cpu,runtime:threadpool,nthr:2",
        "train | step 1",
        *[
            f"{START}convolution,brg:avx512,forward_training,{CONV},{SHAPE},{ms}\n"
            for ms in (9.0, 1.0, 2.0)  # The first step makes kernels.
        ],
        *[f"{START}convolution,jit:avx512,backward_weights,{CONV},{SHAPE},4.0"] * 3,
        *[f"{START}inner_product,gemm:jit,forward_training,src wei dst,attr,,mb2ic12oc5,0.5"] * 3,
        *[f"{START}gemm_api,,undef,src wei dst,,,2x5:5x12,0.25"] * 6,
        *[f"{START}matmul,brg,undef,src wei dst,attr,,12x2:2x5,0.125"] * 3,
        *[f"{START}pooling,jit,backward_data,src dst,,alg:pooling_max,mb2ic2_ih4,3.0"] * 3,
        *[f"{START}reorder,jit,undef,src dst,,,3x4,7.0"] * 2,  # Not of every step.
    ]
    times = times_by_problem(lines, num_steps=3)
    convolution, dense = (layer.shapes for layer in layers)
    assert times == {
        convolution["by_weights"]: 4.0,
        "pooling by_inputs mb2ic2_ih4": 3.0,
        convolution["forward"]: 2.0,
        dense["forward"]: 0.5,
        dense["by_inputs"]: 0.5,  # Twice a step here.
        dense["by_weights"]: 0.125,
    }
    assert [kind_of(problem) for problem in times] == [
        "convolution_by_weights",
        "pooling_by_inputs",
        "convolution_forward",
        "matmul",
        "matmul",
        "matmul",
    ]
