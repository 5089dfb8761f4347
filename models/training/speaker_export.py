"""Checkpoint -> float16 weights and an ONNX file that `sherpa-onnx` runs unchanged.

    python speaker_export.py --checkpoint runs/student/last.pt --onnx model.onnx --weights speaker.pt

ONNX: input `feats` float32 [N, T, 80], output `embs` float32 [N, 192], opset 13, T and N free.
The written file is run in ONNX Runtime at several lengths and compared with PyTorch.
`--average` names further checkpoints of the same network whose weights are averaged in.
"""
import argparse
import os
import warnings

import numpy as np
import torch

from common import half, save_atomic
from speaker_models import EMBEDDING, build, parameters

METADATA = {"framework": "wespeaker", "language": "multilingual", "url": "", "comment": "voicegate speaker-8k",
            "sample_rate": "8000", "output_dim": str(EMBEDDING), "normalize_samples": "1",
            "feature_normalize_type": "global-mean"}


def load(path: str):
    """(model in eval mode, config) of a training checkpoint or of a weights file."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = build(saved["config"])
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in saved["ema"].items()})
    return model.eval(), saved["config"]


def to_onnx(model, path: str, comment: str | None = None) -> None:
    import onnx
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (torch.randn(1, 300, 80),), path, input_names=["feats"], output_names=["embs"],
                          opset_version=13, dynamic_axes={"feats": {0: "N", 1: "T"}, "embs": {0: "N"}}, dynamo=False)
    graph = onnx.load(path)
    del graph.metadata_props[:]
    for key, value in {**METADATA, **({"comment": comment} if comment else {})}.items():
        graph.metadata_props.add(key=key, value=value)
    onnx.save(graph, path)


def session(path: str):
    """ONNX Runtime on one thread."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def compare(model, path: str, lengths=(60, 157, 300, 811)) -> float:
    """Smallest cosine between PyTorch's and ONNX Runtime's embeddings."""
    run, worst = session(path), 1.0
    for t in lengths:
        feats = torch.randn(2, t, 80) * 2
        with torch.no_grad():
            a = model(feats).numpy()
        b = run.run(None, {"feats": feats.numpy()})[0]
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        worst = min(worst, float(cosine.min()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--average", action="append", default=[])
    parser.add_argument("--onnx", required=True)
    parser.add_argument("--weights", help="float16 weights with the config inside")
    parser.add_argument("--comment")
    args = parser.parse_args()
    model, config = load(args.checkpoint)
    if args.average:
        states = [model.state_dict()] + [load(p)[0].state_dict() for p in args.average]
        model.load_state_dict({k: sum(s[k] for s in states) / len(states) if v.is_floating_point() else v
                               for k, v in states[0].items()})
    state = half(model.state_dict())
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    os.makedirs(os.path.dirname(os.path.abspath(args.onnx)), exist_ok=True)
    to_onnx(model, args.onnx, args.comment)
    if args.weights:
        save_atomic({"config": config, "ema": state}, args.weights)
        print(f"{args.weights}: {os.path.getsize(args.weights)} bytes")
    print(f"{args.onnx}: {os.path.getsize(args.onnx)} bytes, {parameters(model)} parameters, "
          f"smallest cosine to PyTorch 1 - {1 - compare(model, args.onnx):.1e}")


if __name__ == "__main__":
    main()
