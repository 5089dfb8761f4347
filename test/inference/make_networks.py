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
    families()


def families():
    """Tensors and metadata as the exporters of the installable families write them, around next to no network."""
    said = [("language", "none"), ("url", "none"), ("comment", "no speaker model"), ("sample_rate", "16000"), ("output_dim", "80")]
    for name, framework, frames, embedding, scaled, mean in [("wespeaker", "wespeaker", "feats", "embs", "0", ""),
                                                             ("3d-speaker", "3d-speaker", "x", "embedding", "1", "global-mean")]:
        save(name, [helper.make_node("Abs", [frames], ["distance"]),
                    helper.make_node("ReduceMean", ["distance"], [embedding], axes=[1], keepdims=0)],
             [floats(frames, "N", "T", 80)], [floats(embedding, "N", 80)],
             metadata=[("framework", framework), ("normalize_samples", scaled), ("feature_normalize_type", mean)] + said)
    # TitaNet's export: two inputs; classes beside the embedding.
    save("titanet", [
        helper.make_node("Abs", ["audio_signal"], ["distance"]),
        helper.make_node("ReduceSum", ["distance", "time"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["length"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "frames"], ["embs"]),
        helper.make_node("ReduceMean", ["embs"], ["logits"], axes=[1], keepdims=1),
    ], [floats("audio_signal", "N", 80, "T"), helper.make_tensor_value_info("length", TensorProto.INT64, ["N"])],
         [floats("logits", "N", 1), floats("embs", "N", 80)], [("time", np.array([2], dtype=np.int64))],
         metadata=[("framework", "nemo"), ("feature_normalize_type", "per_feature"), ("window_size_ms", "25"), ("window_stride_ms", "10"),
                   ("window_type", "hann"), ("feat_dim", "80")] + said)
    # Noise left in: two runs differ.
    save("restless", [
        helper.make_node("ReduceMean", ["wav"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Expand", ["mean", "shape"], ["wide"]),
        helper.make_node("RandomNormalLike", ["wide"], ["noise"]),
        helper.make_node("Add", ["wide", "noise"], ["emb"]),
    ], [floats("wav", "N", "S")], [floats("emb", "N", 8)], [("shape", np.array([1, 8], dtype=np.int64))])
    # Takes 0.4 s at 16 kHz at least: the mean levels of its first four windows.
    save("patient", [
        helper.make_node("Abs", ["wav"], ["absolute"]),
        helper.make_node("Slice", ["absolute", "from", "to", "axis"], ["begin"]),
        helper.make_node("Reshape", ["begin", "rows"], ["windows"]),
        helper.make_node("ReduceMean", ["windows"], ["emb"], axes=[2], keepdims=0),
    ], [floats("wav", "N", "S")], [floats("emb", "N", 4)],
         [("from", np.array([0], dtype=np.int64)), ("to", np.array([6400], dtype=np.int64)), ("axis", np.array([1], dtype=np.int64)),
          ("rows", np.array([1, 4, 1600], dtype=np.int64))])
    # Energy from 0.5 to 3.5 and from 4.5 to 7.5 kHz of samples at 16 kHz: cosines and sines of 32 samples each, Hann-weighted.
    n, bands = np.arange(32), np.concatenate([np.arange(1, 8), np.arange(9, 16)])
    waves = np.concatenate([wave(2 * np.pi * np.outer(bands, n) / 32) for wave in (np.cos, np.sin)]) * np.hanning(32)
    save("bands", [
        helper.make_node("Unsqueeze", ["wav", "axis"], ["one"]),
        helper.make_node("Conv", ["one", "waves"], ["parts"], strides=[16]),
        helper.make_node("ReduceSumSquare", ["parts"], ["energy"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["energy", "sides"], ["emb"]),
    ], [floats("wav", "N", "S")], [floats("emb", "N", 2)],
         [("axis", np.array([1], dtype=np.int64)), ("waves", waves[:, None, :].astype(np.float32)),
          ("sides", np.array(([[1, 0]] * 7 + [[0, 1]] * 7) * 2, dtype=np.float32))])


if __name__ == "__main__":
    main()
