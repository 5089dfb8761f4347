"""Train a speaker network; resumable; one command.

    python speaker_train.py --pack cache/train --heldout heldout-speakers.txt \
        --model resnet-s --seconds 600 --out runs/student --teacher runs/big/last.pt

The schedule runs on progress p in [0, 1]: elapsed training time over --seconds, or steps over
--steps. Learning rate: warm-up, then cosine; margin: 0, ramp to --margin, and --late-margin in
the large-margin stage (p > --late), which also uses longer examples and fewer changed speeds.
An exponential moving average of the weights is what is evaluated and kept. Every --every
seconds: the held-out trials (plain, and through a simulated telephone line), a log line, a
checkpoint; a run that finds its own checkpoint goes on from it.
"""
import argparse
import copy
import json
import math
import multiprocessing
import os
import time

import numpy as np
import torch
from torch.nn.functional import normalize

import augment
from common import Progress, eer, log, min_dcf, save_atomic, seed_everything
from data import SAMPLE_RATE, load_pack
from features import Fbank, normalise
from speaker_data import Planner, SpeedStore, assemble, segment_plan
from speaker_loss import Distillation, SubCentreAam
from speaker_models import PRESETS, build, parameters
from speaker_split import heldout_trials, read_names


def load_teacher(path: str, device):
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = build(saved["config"])
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in saved["ema"].items()})
    return model.to(device).eval().requires_grad_(False)


@torch.no_grad()
def embed(model, fbank, audio, segments, device, line: bool, seconds: float = 3.0) -> torch.Tensor:
    """Unit embeddings [n, D] of segments (repeated or cut to `seconds`)."""
    out = []
    samples = int(seconds * SAMPLE_RATE)
    for begin in range(0, len(segments), 256):
        x = assemble(audio, segment_plan(segments, range(begin, min(begin + 256, len(segments))), samples))
        if line:
            generator = torch.random.get_rng_state()
            torch.manual_seed(begin)
            x = augment.mu_law(augment.telephone(augment.add_at_snr(x, augment.coloured_noise(x), torch.full((len(x),), 20.0, device=x.device))))
            torch.random.set_rng_state(generator)
        with torch.autocast(device_type=device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            out.append(normalize(model(normalise(fbank(x))).float()))
    return torch.cat(out)


def heldout_rates(model, fbank, audio, trials, device) -> dict:
    """EER and minDCF(0.01) of the held-out trials, plain and through a simulated line."""
    model.eval()
    result = {}
    for name, line in (("plain", False), ("line", True)):
        e = embed(model, fbank, audio, trials.segments, device, line).cpu().numpy()
        score = (e[trials.enrol] * e[trials.test]).sum(1)
        result[name] = {"eer": eer(score, trials.label), "minDcf": min_dcf(score, trials.label)}
        if not line:
            for g in sorted(set(trials.group)):
                pick = trials.group == g
                if trials.label[pick].sum() >= 40:
                    result[f"eer {g}"] = eer(score[pick], trials.label[pick])
    return result


def schedule(p: float, args) -> tuple[float, float]:
    """(learning-rate factor, margin) at progress p."""
    warm = 0.03
    factor = p / warm if p < warm else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (p - warm) / (1 - warm)))
    if p >= args.late:
        return factor, args.late_margin
    return factor, args.margin * min(1.0, max(0.0, (p - 0.08) / 0.25))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", required=True)
    parser.add_argument("--heldout", required=True)
    parser.add_argument("--out", required=True, help="folder of this run: last.pt, log.jsonl")
    parser.add_argument("--model", default="resnet-s", help="a preset, or a JSON dict")
    parser.add_argument("--seconds", type=float, default=0, help="training time (or --steps)")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--teacher", action="append", default=[], help="last.pt of another run, may repeat")
    parser.add_argument("--init", help="last.pt to start from (same model)")
    parser.add_argument("--speeds", default="1.0,0.9,1.1")
    parser.add_argument("--speed-share", type=float, default=0.5)
    parser.add_argument("--join", type=float, default=0.4, help="share of joined, digit-like examples")
    parser.add_argument("--no-balance", action="store_true")
    parser.add_argument("--batch-seconds", type=float, default=1024)
    parser.add_argument("--centres", type=int, default=2)
    parser.add_argument("--scale", type=float, default=32)
    parser.add_argument("--margin", type=float, default=0.2)
    parser.add_argument("--late-margin", type=float, default=0.35)
    parser.add_argument("--late", type=float, default=0.82)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--strength", type=float, default=1.0, help="of the augmentation")
    parser.add_argument("--class-weight", type=float, default=1.0, help="of the margin loss beside teachers")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--every", type=float, default=60, help="seconds between evaluations")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    if not args.seconds and not args.steps:
        parser.error("give --seconds or --steps")

    seed_everything(args.seed)
    device = torch.device(args.device)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    os.makedirs(args.out, exist_ok=True)
    checkpoint, logfile = os.path.join(args.out, "last.pt"), os.path.join(args.out, "log.jsonl")

    config = dict(PRESETS[args.model] if args.model in PRESETS else json.loads(args.model))
    config["dropout"] = args.dropout
    pack, heldout = load_pack(args.pack), read_names(args.heldout)
    trials = heldout_trials(pack, heldout)
    store = SpeedStore(pack, args.speeds.split(","), device)
    stage = multiprocessing.Value("i", 0)
    planner = Planner(pack, heldout, store.speeds, store.base, args.seed, args.batch_seconds, join=args.join,
                      speed_share=args.speed_share, balance=not args.no_balance, stage=stage)
    model = build(config).to(device)
    if device.type == "cuda" and config["kind"] != "ecapa":
        model = model.to(memory_format=torch.channels_last)
    loss_of = SubCentreAam(planner.classes, centres=args.centres, scale=args.scale).to(device)
    teachers = [load_teacher(p, device) for p in args.teacher]
    distil = Distillation(len(teachers)).to(device) if teachers else None
    fbank, chain = Fbank().to(device), augment.Augment(args.strength)
    if args.init:
        saved = torch.load(args.init, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["ema"])
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    extra = list(loss_of.parameters()) + (list(distil.parameters()) if distil else [])
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": args.decay},
                                   {"params": vectors, "weight_decay": 0.0},
                                   {"params": extra, "weight_decay": args.decay / 5}], lr=args.lr,
                                  fused=device.type == "cuda")
    ema = copy.deepcopy(model).eval().requires_grad_(False)
    step, elapsed = 0, 0.0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["model"])
        ema.load_state_dict(saved["ema"])
        loss_of.load_state_dict(saved["loss"])
        if distil:
            distil.load_state_dict(saved["distil"])
        optimizer.load_state_dict(saved["optimizer"])
        step, elapsed = saved["step"], saved["elapsed"]
        log(f"resumed at step {step}, {elapsed:.0f} s", None)

    def keep(full: bool) -> None:
        value = {"config": config, "ema": {k: v.cpu() for k, v in ema.state_dict().items()}, "step": step, "elapsed": elapsed,
                 "arguments": vars(args)}
        if full:
            value.update(model=model.state_dict(), loss=loss_of.state_dict(), optimizer=optimizer.state_dict(),
                         distil=distil.state_dict() if distil else None)
        save_atomic(value, checkpoint)

    log(json.dumps({"run": os.path.basename(args.out), "parameters": parameters(model), "classes": planner.classes,
                    "speakers": len(planner.names), "trials": [int(trials.label.sum()), int((1 - trials.label).sum())],
                    "device": str(device), "arguments": vars(args)}), logfile)
    loader = iter(torch.utils.data.DataLoader(planner, batch_size=None, num_workers=args.workers,
                                              prefetch_factor=4 if args.workers else None))
    total = args.seconds or args.steps
    bar = Progress(os.path.basename(args.out), total)
    sums, count, examples = torch.zeros(3, device=device), 0, 0
    began, evaluated = time.time() - elapsed, elapsed
    ema_pairs = [(e, m) for e, m in zip(ema.state_dict().values(), model.state_dict().values()) if e.is_floating_point()]
    ema_values, model_values = [e for e, _ in ema_pairs], [m for _, m in ema_pairs]
    while True:
        p = elapsed / args.seconds if args.seconds else step / args.steps
        if p >= 1:
            break
        factor, margin = schedule(p, args)
        if p >= args.late:
            stage.value = 1
        for g in optimizer.param_groups:
            g["lr"] = args.lr * factor
        plan = next(loader)
        label = plan.label.to(device, non_blocking=True)
        clean = assemble(store.audio, plan)
        feats = normalise(fbank(chain(clean)))
        if p < args.late:
            feats = augment.spec_augment(feats)
        model.train()
        targets = []
        with torch.autocast(device_type=device.type, dtype=torch.bfloat16):
            if teachers:
                with torch.no_grad():
                    quiet = normalise(fbank(clean))
                    targets = [t(quiet) for t in teachers]
            embedding = model(feats)
        loss, accuracy = loss_of(embedding, label, margin)
        follow = distil(embedding, targets) if teachers else torch.zeros((), device=device)
        whole = (args.class_weight if teachers else 1.0) * loss + follow
        optimizer.zero_grad(set_to_none=True)
        whole.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            decay = min(args.ema, (1 + step) / (10 + step))
            torch._foreach_lerp_(ema_values, model_values, 1 - decay)
        sums += torch.stack([loss.detach(), accuracy, follow.detach()])
        step, count, examples = step + 1, count + 1, examples + len(label)
        if device.type == "cuda" and step % 10 == 0:
            torch.cuda.synchronize()
        elapsed = time.time() - began
        bar.update(elapsed if args.seconds else step)
        finished = (elapsed >= args.seconds) if args.seconds else step >= args.steps
        if elapsed - evaluated >= args.every or finished:
            before = time.time()
            rates = heldout_rates(ema, fbank, store.audio, trials, device)
            mean = (sums / count).tolist()
            log(json.dumps({"step": step, "seconds": round(elapsed, 1), "p": round(p, 3), "margin": round(margin, 3),
                            "loss": round(mean[0], 3), "accuracy": round(mean[1], 4), "distil": round(mean[2], 4),
                            "examples": examples, **{k: ({a: round(b, 4) for a, b in v.items()} if isinstance(v, dict)
                                                         else round(v, 4)) for k, v in rates.items()}}), logfile)
            keep(full=not finished)
            sums.zero_()
            count = 0
            began += time.time() - before   # evaluation is not training time
            elapsed = time.time() - began
            evaluated = elapsed
            if finished:
                break
    bar.update(total)


if __name__ == "__main__":
    main()
