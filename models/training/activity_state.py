"""Gives the exported activity network a memory that its caller carries, so that a stream can be heard in pieces.

    python activity_state.py exported.onnx model.onnx

`frames` [1, T, 32], `state` [1, 1, 48], `span` int64 [2] -> `speech` [1, last - first, 1] and `next_state` [1, 1, 48].
The convolutions see all frames; the memory and the answer only the units first to last - 1 of `span` (a unit is two frames): frames
around them are what the convolutions look at to either side. With a state of zeros and a span over everything it is the old network.
"""
import sys

import onnx
from onnx import TensorProto, helper


def with_state(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    gru = next(node for node in graph.node if node.op_type == "GRU")
    seen = next(node for node in reversed(graph.node) if node.op_type == "Add" and "score" not in node.name).output[0]  # [1, 40, U]
    for node in graph.node:
        for at, name in enumerate(node.input):
            if name == seen and node.op_type != "Shape":
                node.input[at] = "heard"
    cut = [
        helper.make_node("Constant", [], ["axis"], value_ints=[2]),
        helper.make_node("Constant", [], ["zero"], value_ints=[0]),
        helper.make_node("Constant", [], ["one"], value_ints=[1]),
        helper.make_node("Constant", [], ["two"], value_ints=[2]),
        helper.make_node("Slice", ["span", "zero", "one"], ["first"]),
        helper.make_node("Slice", ["span", "one", "two"], ["last"]),
        helper.make_node("Slice", [seen, "first", "last", "axis"], ["heard"]),
    ]
    made = next(at for at, node in enumerate(graph.node) if seen in node.output)
    for offset, node in enumerate(cut):
        graph.node.insert(made + 1 + offset, node)
    gru.input[5] = "state"
    gru.output[1] = "next_state"
    width = next(attribute.i for attribute in gru.attribute if attribute.name == "hidden_size")
    graph.input.append(helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 1, width]))
    graph.input.append(helper.make_tensor_value_info("span", TensorProto.INT64, [2]))
    graph.output.append(helper.make_tensor_value_info("next_state", TensorProto.FLOAT, [1, 1, width]))
    drop_unused(graph)
    onnx.checker.check_model(model)
    return model


def drop_unused(graph: onnx.GraphProto) -> None:
    while True:
        wanted = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        idle = [node for node in graph.node if not any(name in wanted for name in node.output)]
        if not idle:
            return
        for node in idle:
            graph.node.remove(node)


if __name__ == "__main__":
    onnx.save(with_state(onnx.load(sys.argv[1])), sys.argv[2])
