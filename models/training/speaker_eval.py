"""Error rates of speaker models on lists of trials.

    python speaker_eval.py --lists ../speech/dev --model model.onnx --against baseline.onnx --json out.json --markdown out.md

A list is a folder with enrol.tsv (model, files joined by commas), trials.tsv (model, test,
label) and the audio. Score: cosine between the mean of the enrolment files' unit embeddings
and the test file's. EER and minDCF(0.01) per list and pooled (all lists' scores together),
95 % bootstrap intervals over models; with --against, paired differences from the same draws.
`--channel line` sends all files through one simulated telephone line (band-pass, mu-law).
Models: ONNX files (`feats` -> `embs`), or .pt checkpoints.
"""
import argparse
import os

import numpy as np
import torch

from augment import mu_law, spectral_gain
from common import Progress, bootstrap, eer, min_dcf, write_json
from data import read_audio, read_list
from features import Fbank, normalise


def line(x: torch.Tensor) -> torch.Tensor:
    """A fixed telephone line: 300 to 3400 Hz with soft edges, then mu-law; [1, N]."""
    f = torch.linspace(0, 4000, 161, device=x.device)
    gain = -24 * torch.log2((300 / f.clamp_min(20)).clamp_min(1)) - 200 * torch.log2((f / 3400).clamp_min(1))
    y = spectral_gain(x, gain.clamp_min(-60)[None])
    return mu_law(y / y.abs().max().clamp_min(1e-4) * 0.5)


def extractor(path: str, device: str = "cpu"):
    """feats [1, T, 80] tensor -> embedding numpy [D]."""
    if path.endswith(".onnx"):
        from speaker_export import session
        run = session(path)
        return lambda feats: run.run(None, {"feats": feats.cpu().numpy()})[0][0]
    from speaker_export import load
    model = load(path)[0].to(device)

    def torch_run(feats):
        with torch.no_grad():
            return model(feats.to(device))[0].float().cpu().numpy()
    return torch_run


def is_speaker_list(path: str) -> bool:
    return all(os.path.exists(os.path.join(path, n)) for n in ("enrol.tsv", "trials.tsv"))


def score_lists(lists: list[str], extract: dict, channel: str = "plain", device: str = "cpu") -> dict:
    """{list: {"label", "model", "scores": {name: array}}} for several extractors at once."""
    fbank = Fbank().to(device)
    out = {}
    for folder in lists:
        enrol = {r["model"]: r["files"].split(",") for r in read_list(os.path.join(folder, "enrol.tsv"))}
        trials = read_list(os.path.join(folder, "trials.tsv"))
        files = sorted({f for v in enrol.values() for f in v} | {t["test"] for t in trials})
        name = os.path.basename(folder.rstrip("/"))
        bar = Progress(name, len(files))
        vectors: dict[str, dict] = {n: {} for n in extract}
        for i, file in enumerate(files):
            x = torch.from_numpy(read_audio(os.path.join(folder, file)).astype(np.float32) / 32768)[None].to(device)
            feats = normalise(fbank(line(x) if channel == "line" else x))
            for n, run in extract.items():
                v = run(feats)
                vectors[n][file] = v / np.linalg.norm(v)
            bar.update(i + 1)
        scores = {}
        for n, v in vectors.items():
            models = {}
            for m, fs in enrol.items():
                mean = np.mean([v[f] for f in fs], axis=0)
                models[m] = mean / np.linalg.norm(mean)
            scores[n] = np.array([float(models[t["model"]] @ v[t["test"]]) for t in trials])
        out[name] = {"label": np.array([t["label"] == "target" for t in trials]).astype(int),
                     "model": np.array([f"{name}/{t['model']}" for t in trials]), "scores": scores}
    return out


def rates(label, score, model, rounds: int) -> dict:
    value = {"targets": int(label.sum()), "nontargets": int((1 - label).sum()),
             "eer": eer(score, label), "minDcf01": min_dcf(score, label), "minDcf001": min_dcf(score, label, 0.001)}
    if rounds:
        value["eerInterval"] = bootstrap(score, label, eer, rounds, groups=model)
        value["minDcf01Interval"] = bootstrap(score, label, min_dcf, rounds, groups=model)
    return value


def report(scored: dict, rounds: int) -> dict:
    """{model name: {"lists": {...}, "pooled": {...}}}, and paired differences to the last model."""
    names = list(next(iter(scored.values()))["scores"])
    everything = {"label": np.concatenate([s["label"] for s in scored.values()]),
                  "model": np.concatenate([s["model"] for s in scored.values()]),
                  "scores": {n: np.concatenate([s["scores"][n] for s in scored.values()]) for n in names}}
    result = {}
    for n in names:
        result[n] = {"lists": {k: rates(s["label"], s["scores"][n], s["model"], rounds) for k, s in scored.items()},
                     "pooled": rates(everything["label"], everything["scores"][n], everything["model"], rounds)}
    if len(names) > 1 and rounds:
        for n in names[:-1]:
            for k, s in [*scored.items(), ("pooled", everything)]:
                both = np.stack([s["scores"][n], s["scores"][names[-1]]], axis=1)
                interval = bootstrap(both, s["label"], lambda x, y: eer(x[:, 0], y) - eer(x[:, 1], y), rounds, groups=s["model"])
                target = result[n]["pooled"] if k == "pooled" else result[n]["lists"][k]
                target["eerDifferenceInterval"] = interval
    return result


def table(result: dict) -> str:
    """Markdown: EER % [interval] and minDCF, models side by side."""
    names = list(result)
    lines = ["| list | target / nontarget | " + " | ".join(f"{n} EER % | minDCF 0.01" for n in names) + " |",
             "| --- | --- |" + " --- | --- |" * len(names)]
    for k in [*result[names[0]]["lists"], "pooled"]:
        rows = [result[n]["pooled"] if k == "pooled" else result[n]["lists"][k] for n in names]
        cells = []
        for r in rows:
            i, j = r.get("eerInterval"), r.get("minDcf01Interval")
            cells.append(f"{100 * r['eer']:.2f}" + (f" [{100 * i[0]:.2f}, {100 * i[1]:.2f}]" if i else ""))
            cells.append(f"{r['minDcf01']:.3f}" + (f" [{j[0]:.3f}, {j[1]:.3f}]" if j else ""))
        lines.append(f"| {k} | {rows[0]['targets']} / {rows[0]['nontargets']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lists", required=True, help="folder of lists; those without trials.tsv are left out")
    parser.add_argument("--model", action="append", required=True, help="[NAME=]FILE, may repeat")
    parser.add_argument("--against", help="[NAME=]FILE, the baseline")
    parser.add_argument("--channel", choices=("plain", "line"), default="plain")
    parser.add_argument("--rounds", type=int, default=300, help="bootstrap rounds (0: no intervals)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    args = parser.parse_args()
    torch.set_num_threads(1)
    extract = {}
    for item in args.model + ([args.against] if args.against else []):
        name, path = item.split("=", 1) if "=" in item else (os.path.splitext(os.path.basename(item))[0], item)
        extract[name] = extractor(path, args.device)
    lists = [os.path.join(args.lists, n) for n in sorted(os.listdir(args.lists)) if is_speaker_list(os.path.join(args.lists, n))]
    result = report(score_lists(lists, extract, args.channel, args.device), args.rounds)
    text = table(result)
    print(text)
    if args.json:
        write_json({"channel": args.channel, "rounds": args.rounds, "models": result}, args.json)
    if args.markdown:
        with open(args.markdown, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
