"""Train a speaker network; resumable; one command.

    python speaker_train.py --pack cache/train --heldout heldout-speakers.txt \
        --model resnet-s --companion resnet-m --seconds 700 --out runs/joint

The schedule runs on progress p in [0, 1]: elapsed training time over --seconds, or steps over
--steps. Learning rate: warm-up, then cosine; margin: 0, then a ramp to --margin. With --init the
classes find their places first, before the network moves.
With --companion a bigger network learns beside the small one on the same batches, and the small
one follows its embeddings (distillation); after --freeze of the schedule the big one's average is
fixed and only the small one goes on. --teacher gives finished teachers instead.

An exponential moving average of the weights is what is evaluated and kept. Every --every
seconds: the held-out trials (plain, and through a simulated telephone line), a log line, a
checkpoint; a run that finds its own checkpoint goes on from it.
"""
import argparse
import copy
import json
import math
import os
import time

import numpy as np
import torch
from torch.nn.functional import normalize

import augment
from common import Progress, eer, half, log, min_dcf, save_atomic, seed_everything
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
    model = model.to(device).eval().requires_grad_(False)
    two_d = device.type == "cuda" and saved["config"]["kind"] != "ecapa"
    return model.to(memory_format=torch.channels_last) if two_d else model


@torch.no_grad()
def embed(model, fbank, audio, segments, device, line: bool, seconds: float = 3.0) -> torch.Tensor:
    """Unit embeddings [n, D] of segments (repeated or cut to `seconds`)."""
    out = []
    samples = int(seconds * SAMPLE_RATE)
    for begin in range(0, len(segments), 256):
        x = assemble(audio, segment_plan(segments, range(begin, min(begin + 256, len(segments))), samples))
        if line:
            with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                torch.manual_seed(begin)
                snr = torch.full((len(x),), 20.0, device=x.device)
                x = augment.mu_law(augment.telephone(augment.add_at_snr(x, augment.coloured_noise(x), snr)))
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


def parse_model(text: str, dropout: float) -> dict:
    return {**(PRESETS[text] if text in PRESETS else json.loads(text)), "dropout": dropout}


class Learner:
    """One network in training: its margin loss, optimizer and moving average."""

    def __init__(self, config: dict, domain: np.ndarray, args, device, extra=()):
        self.config, self.device, self.limit = config, device, args.ema
        self.model = build(config).to(device)
        if device.type == "cuda" and config["kind"] != "ecapa":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.loss = SubCentreAam(len(domain), torch.from_numpy(domain), centres=args.centres, scale=args.scale).to(device)
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": args.decay},
                                            {"params": vectors, "weight_decay": 0.0},
                                            {"params": [*self.loss.parameters(), *extra], "weight_decay": args.decay / 5}],
                                           lr=args.lr, fused=device.type == "cuda")
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        pairs = [(e, m) for e, m in zip(self.ema.state_dict().values(), self.model.state_dict().values())
                 if e.is_floating_point()]
        self.averages, self.values = [e for e, _ in pairs], [m for _, m in pairs]

    def set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def step(self, number: int) -> None:
        """After backward: clip, update, average."""
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.values, 1 - min(self.limit, (1 + number) / (10 + number)))

    def weights(self) -> dict:
        return {"config": self.config, "ema": {k: v.cpu() for k, v in self.ema.state_dict().items()}}

    def state(self) -> dict:
        return {"model": self.model.state_dict(), "ema": self.ema.state_dict(), "loss": self.loss.state_dict(),
                "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.loss.load_state_dict(state["loss"])
        self.optimizer.load_state_dict(state["optimizer"])


def schedule(p: float, args) -> tuple[float, float]:
    """(learning-rate factor, margin) at progress p."""
    warm = 0.03
    factor = p / warm if p < warm else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (p - warm) / (1 - warm)))
    return factor, args.margin * min(1.0, max(0.0, (p - 0.08) / 0.25))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", required=True)
    parser.add_argument("--heldout", required=True)
    parser.add_argument("--out", required=True, help="folder of this run: small.pt, companion.pt, last.pt, log.jsonl")
    parser.add_argument("--model", default="resnet-s", help="a preset, or a JSON dict")
    parser.add_argument("--seconds", type=float, default=0, help="training time (or --steps)")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--teacher", action="append", default=[], help="small.pt or companion.pt of another run, may repeat")
    parser.add_argument("--companion", help="a bigger network (preset or JSON) trained beside and followed")
    parser.add_argument("--companion-dropout", type=float, default=0.2)
    parser.add_argument("--freeze", type=float, default=0.65, help="progress after which the companion is fixed")
    parser.add_argument("--trust-from", type=float, default=0.0, help="progress from which the companion is followed, more and more")
    parser.add_argument("--init", help="small.pt to start from (same model)")
    parser.add_argument("--speeds", default="1.0,0.9,1.1,0.8,1.25")
    parser.add_argument("--speed-share", type=float, default=0.5)
    parser.add_argument("--join", type=float, default=0.4, help="share of joined, digit-like examples")
    parser.add_argument("--no-balance", action="store_true")
    parser.add_argument("--batch-seconds", type=float, default=1024)
    parser.add_argument("--centres", type=int, default=2)
    parser.add_argument("--scale", type=float, default=32)
    parser.add_argument("--margin", type=float, default=0.2)
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
    os.makedirs(args.out, exist_ok=True)
    checkpoint, logfile = os.path.join(args.out, "last.pt"), os.path.join(args.out, "log.jsonl")

    config = parse_model(args.model, args.dropout)
    pack, heldout = load_pack(args.pack), read_names(args.heldout)
    trials = heldout_trials(pack, heldout)
    store = SpeedStore(pack, args.speeds.split(","), device)
    torch.backends.cuda.matmul.allow_tf32 = True     # after resampling, which keeps full precision
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    planner = Planner(pack, heldout, store.speeds, store.base, args.seed, args.batch_seconds, join=args.join,
                      speed_share=args.speed_share, balance=not args.no_balance)
    teachers = [load_teacher(p, device) for p in args.teacher]
    sources = len(teachers) + bool(args.companion)
    distil = Distillation(sources).to(device) if sources else None
    learner = Learner(config, planner.domain, args, device, distil.parameters() if distil else ())
    companion = None
    if args.companion:
        companion = Learner(parse_model(args.companion, args.companion_dropout), planner.domain, args, device)
    fbank, chain = Fbank().to(device), augment.Augment(args.strength)
    if args.init:
        saved = torch.load(args.init, map_location="cpu", weights_only=True)
        learner.model.load_state_dict(saved["ema"])
        learner.ema.load_state_dict(saved["ema"])
    step, elapsed = 0, 0.0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        learner.restore(saved["learner"])
        if companion:
            companion.restore(saved["companion"])
        if distil:
            distil.load_state_dict(saved["distil"])
        step, elapsed = saved["step"], saved["elapsed"]
        log(f"resumed at step {step}, {elapsed:.0f} s", None)

    def keep() -> None:
        """small.pt and companion.pt: averaged weights; last.pt: everything, to go on from."""
        about = {"step": step, "elapsed": elapsed, "arguments": vars(args)}
        save_atomic({**learner.weights(), **about}, os.path.join(args.out, "small.pt"))
        if companion:
            save_atomic({**companion.weights(), "ema": half(companion.weights()["ema"]), **about}, os.path.join(args.out, "companion.pt"))
        save_atomic({"learner": learner.state(), "companion": companion.state() if companion else None,
                     "distil": distil.state_dict() if distil else None, **about}, checkpoint)

    log(json.dumps({"run": os.path.basename(args.out), "parameters": parameters(learner.model), "classes": planner.classes,
                    "speakers": len(planner.names), "trials": [int(trials.label.sum()), int((1 - trials.label).sum())],
                    "device": str(device), "arguments": vars(args)}), logfile)
    loader = iter(torch.utils.data.DataLoader(planner, batch_size=None, num_workers=args.workers,
                                              prefetch_factor=4 if args.workers else None))
    total = args.seconds or args.steps
    bar = Progress(os.path.basename(args.out), total)
    sums, big_sums, count, examples = torch.zeros(3, device=device), torch.zeros(2, device=device), 0, 0
    began, evaluated = time.time() - elapsed, elapsed
    while True:
        p = elapsed / args.seconds if args.seconds else step / args.steps
        if p >= 1:
            break
        factor, margin = schedule(p, args)
        learner.set_rate(args.lr * factor)
        learn_both = companion is not None and p < args.freeze
        plan = next(loader)
        label = plan.label.to(device, non_blocking=True)
        clean = assemble(store.audio, plan)
        feats = augment.spec_augment(normalise(fbank(chain(clean))))
        learner.model.train()
        targets, whole = [], 0.0
        with torch.autocast(device_type=device.type, dtype=torch.bfloat16):
            embedding = learner.model(feats)
            with torch.no_grad():
                if teachers or (companion and not learn_both):
                    quiet = normalise(fbank(clean))
                    targets = [t(quiet) for t in teachers + ([companion.ema] if companion and not learn_both else [])]
            if learn_both:
                companion.set_rate(args.lr * schedule(p / args.freeze * 0.999, args)[0])
                companion.model.train()
                big = companion.model(feats)
                targets.append(big.detach())
        if learn_both:
            big_loss, big_accuracy = companion.loss(big, label, margin)
            whole = whole + big_loss
            big_sums += torch.stack([big_loss.detach(), big_accuracy])
        settling = bool(args.init) and p < 0.03
        loss, accuracy = learner.loss(embedding.detach() if settling else embedding, label, margin)
        follow = distil(embedding, targets) if targets else torch.zeros((), device=device)
        trust = min(1.0, max(0.0, (p - args.trust_from) / 0.15)) if companion else 1.0
        whole = whole + (args.class_weight if targets else 1.0) * loss + trust * follow
        learner.optimizer.zero_grad(set_to_none=True)
        if learn_both:
            companion.optimizer.zero_grad(set_to_none=True)
        whole.backward()
        learner.step(step)
        if learn_both:
            companion.step(step)
        sums += torch.stack([loss.detach(), accuracy, follow.detach()])
        step, count, examples = step + 1, count + 1, examples + len(label)
        if device.type == "cuda" and step % 10 == 0:
            torch.cuda.synchronize()
        elapsed = time.time() - began
        bar.update(elapsed if args.seconds else step)
        finished = (elapsed >= args.seconds) if args.seconds else step >= args.steps
        if elapsed - evaluated >= args.every or finished:
            before = time.time()
            torch.backends.cudnn.benchmark = False
            rates = heldout_rates(learner.ema, fbank, store.audio, trials, device)
            if companion:
                big_rates = heldout_rates(companion.ema, fbank, store.audio, trials, device)
                rates.update({f"companion {k}": big_rates[k] for k in ("plain", "line")})
                rates["companion"] = dict(zip(("loss", "accuracy"), (big_sums / count).tolist()))
                big_sums.zero_()
            torch.backends.cudnn.benchmark = True
            mean = (sums / count).tolist()
            log(json.dumps({"step": step, "seconds": round(elapsed, 1), "p": round(p, 3), "margin": round(margin, 3),
                            "loss": round(mean[0], 3), "accuracy": round(mean[1], 4), "distil": round(mean[2], 4),
                            "examples": examples, **{k: ({a: round(b, 4) for a, b in v.items()} if isinstance(v, dict)
                                                         else round(v, 4)) for k, v in rates.items()}}), logfile)
            keep()
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
