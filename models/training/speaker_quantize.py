"""Static int8 version of an exported network, calibrated on training speech.

    python speaker_quantize.py --onnx model.onnx --pack cache/train --heldout heldout-speakers.txt --out model.int8.onnx

Convolutions and matrix products get weights per channel and uint8 activations. Weights use 7 of
the 8 bits: on processors without VNNI, 8-bit products would overflow the 16-bit sums. The
pooling and the last layers stay float (--keep names more nodes by prefix). Prints the mean
cosine to the float embeddings on other training speech, and both speeds (one thread, 3 s).
"""
import argparse
import time
import warnings

import numpy as np
import torch

from data import load_pack
from features import Fbank, normalise
from speaker_data import Planner
from speaker_export import session
from speaker_split import read_names
from speaker_whiten import segment


def speech(pack_path: str, heldout: str, count: int, seed: int) -> list[np.ndarray]:
    """`count` feature matrices [1, T, 80] of training speech, half of them joined words."""
    pack = load_pack(pack_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audio = torch.from_numpy(pack.audio)
    planner, rng, fbank = Planner(pack, read_names(heldout), ["1.0"], [0]), np.random.default_rng(seed), Fbank()
    out = []
    for i in range(count):
        speaker = rng.choice(len(planner.names), 1, p=planner.weights)
        out.append(normalise(fbank(segment(planner, rng, audio, speaker, i % 2 == 0, 3.0))).numpy())
    return out


class Reader:
    """onnxruntime's calibration interface."""

    def __init__(self, feats: list[np.ndarray]):
        self.items = iter(feats)

    def get_next(self):
        x = next(self.items, None)
        return None if x is None else {"feats": x}


def speeds(runs: list, repeats: int = 200) -> list[tuple[float, float]]:
    """(smallest, median) milliseconds of processor time for 3 s of speech, the models in turn.

    Processor time of the one thread, so that other work on the machine counts for little.
    """
    x = np.random.default_rng(1).standard_normal((1, 300, 80)).astype(np.float32)
    times = np.zeros((repeats, len(runs)))
    for i in range(repeats):
        for k, run in enumerate(runs):
            begin = time.thread_time()
            run.run(None, {"feats": x})
            times[i, k] = 1000 * (time.thread_time() - begin)
    return [(float(t.min()), float(np.median(t))) for t in times.T]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--onnx", required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--heldout", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=200, help="segments for calibration")
    parser.add_argument("--keep", default="/head/,/stem/", help="prefixes of nodes that stay float")
    parser.add_argument("--method", default="percentile", choices=("minmax", "percentile", "entropy"))
    args = parser.parse_args()
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = args.out + ".prepared"
    quant_pre_process(args.onnx, prepared, skip_symbolic_shape=True)
    prefixes = tuple(p for p in args.keep.split(",") if p)
    float_nodes = [n.name for n in onnx.load(prepared).graph.node if n.name.startswith(prefixes)] if prefixes else []
    method = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile,
              "entropy": CalibrationMethod.Entropy}[args.method]
    options = {"CalibPercentile": 99.99} if args.method == "percentile" else {}
    quantize_static(prepared, args.out, Reader(speech(args.pack, args.heldout, args.count, 11)),
                    quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, op_types_to_quantize=["Conv", "MatMul", "Gemm", "Add", "Mul", "Relu"],
                    nodes_to_exclude=float_nodes, calibrate_method=method, extra_options=options,
                    reduce_range=True)
    graph, source = onnx.load(args.out), onnx.load(args.onnx)
    del graph.metadata_props[:]
    graph.metadata_props.extend(source.metadata_props)
    onnx.save(graph, args.out)
    import os
    os.remove(prepared)
    a, b, cosines = session(args.onnx), session(args.out), []
    for x in speech(args.pack, args.heldout, 60, 12):
        u, v = (s.run(None, {"feats": x})[0][0] for s in (a, b))
        cosines.append(float(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))
    print(f"cosine to float: mean {np.mean(cosines):.4f}, smallest {min(cosines):.4f}")
    (fa, fm), (qa, qm) = speeds([a, b])
    print(f"3 s of speech, one thread, processor time: float {fa:.2f} ms (median {fm:.2f}), int8 {qa:.2f} ms (median {qm:.2f})")


if __name__ == "__main__":
    main()
