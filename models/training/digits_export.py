"""Exports a checkpoint: ONNX with metadata, float16 weights, and a golden file.

    python digits_export.py --checkpoint digits.pt --onnx digits.onnx --golden digits-golden.json

ONNX: input `feats` float32 [N, T, 80], output `logp` float32 [N, ceil(T / 3), units].
Metadata: sample_rate, frame_step_samples (240), feature_normalize_type,
units (JSON list), lexicon, scoring (temperature, blank and filler weights and floor per
language) and thresholds (JSON), and the same front-end keys as the
speaker model.
"""
import argparse
import json

import numpy as np
import torch

import digits_model
import digits_units as du
import features
from common import write_json


def export(net, state, path: str, opset: int = 17):
    import onnx

    wrapped = digits_model.Exported(net).eval()
    sample = torch.zeros(1, 200, digits_model.MELS)
    torch.onnx.export(wrapped, (sample,), path, input_names=["feats"], output_names=["logp"],
                      dynamic_axes={"feats": {0: "N", 1: "T"}, "logp": {0: "N", 1: "T3"}},
                      opset_version=opset, dynamo=False)
    model = onnx.load(path)
    meta = {"framework": "voicegate-digits", "sample_rate": "8000",
            "frame_step_samples": str(digits_model.FRAME_SAMPLES), "normalize_samples": "1",
            "feature_normalize_type": "global-mean",
            "units": json.dumps(state["units"]), "lexicon": json.dumps(du.LEXICON),
            "scoring": json.dumps(state.get("scoring", {})),
            "thresholds": json.dumps(state.get("thresholds", {}))}
    for key, value in meta.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--onnx", required=True)
    parser.add_argument("--golden")
    args = parser.parse_args()
    net, state = digits_model.load_checkpoint(args.checkpoint)
    export(net, state, args.onnx)
    signal = features.golden_signal()
    feats = features.normalise(features.Fbank()(torch.from_numpy(signal)[None]))
    import onnxruntime

    session = onnxruntime.InferenceSession(args.onnx, providers=["CPUExecutionProvider"])
    got = session.run(None, {"feats": feats.numpy()})[0]
    with torch.no_grad():
        want = digits_model.Exported(net)(feats).numpy()
    print(f"ONNX against PyTorch: largest difference {np.abs(got - want).max():.2e}")
    if args.golden:
        write_json({
            "signal": "int16 x[n] = round(6000 sin(2 pi (200 t + 150 t^2)) + 4000 sin(2 pi "
                      "(1500 t - 200 t^2)) + 2000 sin(2 pi 3000 t) [n mod 1600 < 800]), "
                      "t = n/8000, n = 0..15999; samples x/32768",
            "input": [1, *feats.shape[1:]], "output": list(got.shape),
            "units": len(state["units"]),
            "logp_first_24_units": {str(t): [round(float(v), 4) for v in got[0, t, :24]]
                                    for t in (0, 1, 2, 33, got.shape[1] - 1)},
            "best_units": [state["units"][int(i)] for i in got[0].argmax(1)],
        }, args.golden)


if __name__ == "__main__":
    main()
