"""Writes the tiny ONNX files of networks/ beside this file: each does something that a test can work out by hand.

    pip install onnx==1.23.2 numpy
    python make_networks.py
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "networks")


def save(name, nodes, inputs, outputs, constants=(), metadata=()):
    initializers = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants]
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="voicegate-test")
    for key, value in metadata:
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, f"{name}.onnx"))


def floats(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def main():
    os.makedirs(HERE, exist_ok=True)
    # Kaldi families: [N, T, 24] -> mean over time.
    save("frames", [helper.make_node("ReduceMean", ["feats"], ["embs"], axes=[1], keepdims=0)],
         [floats("feats", "N", "T", 24)], [floats("embs", "N", 24)])
    # The baseline's input and next to no network: what is left of a run is what surrounds it. The metadata lets sherpa-onnx run it.
    save("surroundings", [helper.make_node("ReduceMean", ["feats"], ["embs"], axes=[1], keepdims=0)],
         [floats("feats", "N", "T", 80)], [floats("embs", "N", 80)],
         metadata=[("framework", "wespeaker"), ("language", "none"), ("url", "none"), ("comment", "no speaker model"), ("sample_rate", "8000"),
                   ("output_dim", "80"), ("normalize_samples", "1"), ("feature_normalize_type", "global-mean")])
    # NeMo: [N, 32, T] and the number of valid frames -> sum of squares over time / length.
    save("nemo", [
        helper.make_node("ReduceSumSquare", ["audio_signal"], ["sum"], axes=[2], keepdims=0),
        helper.make_node("Cast", ["length"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "frames"], ["embs"]),
    ], [floats("audio_signal", "N", 32, "T"), helper.make_tensor_value_info("length", TensorProto.INT64, ["N"])],
         [floats("embs", "N", 32)])
    # Waveform models: [N, S] -> mean, mean of absolute values, largest, smallest.
    save("waveform", [
        helper.make_node("Abs", ["wav"], ["absolute"]),
        helper.make_node("ReduceMean", ["wav"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("ReduceMean", ["absolute"], ["level"], axes=[1], keepdims=1),
        helper.make_node("ReduceMax", ["wav"], ["largest"], axes=[1], keepdims=1),
        helper.make_node("ReduceMin", ["wav"], ["smallest"], axes=[1], keepdims=1),
        helper.make_node("Concat", ["mean", "level", "largest", "smallest"], ["emb"], axis=1),
    ], [floats("wav", "N", "S")], [floats("emb", "N", 4)])
    # Refuses samples whose number is no multiple of 8; otherwise the mean of each eighth of them.
    save("picky", [
        helper.make_node("Reshape", ["wav", "rows"], ["eighths"]),
        helper.make_node("ReduceMean", ["eighths"], ["emb"], axes=[2], keepdims=0),
    ], [floats("wav", "N", "S")], [floats("emb", "N", 8)], [("rows", np.array([1, 8, -1], dtype=np.int64))])
    # Takes one length only, as some exports do.
    save("fixed", [helper.make_node("ReduceMean", ["wav"], ["emb"], axes=[1], keepdims=1)],
         [floats("wav", 1, 16000)], [floats("emb", 1, 1)])
    # Takes 64-bit floats.
    save("double", [helper.make_node("Cast", ["wav"], ["emb"], to=TensorProto.FLOAT)],
         [helper.make_tensor_value_info("wav", TensorProto.DOUBLE, ["N", "S"])], [floats("emb", "N", "S")])


if __name__ == "__main__":
    main()
