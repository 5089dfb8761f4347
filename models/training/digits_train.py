"""Steps 3, 5 and 6: trains the digit recogniser (CTC), on a GPU or a CPU.

    python digits_train.py --manifest m.json --audio audio.npy --out a.pt --minutes 4
    python digits_train.py … --cuts cuts.npz --init a.pt --out digits.pt --minutes 6
    python digits_train.py … --cuts cuts.npz --init b.pt --grammar 0.8 --lr 5e-4 --out digits.pt
    python digits_train.py … --cuts cuts.npz --init digits.pt --grammar 0.8 --own-share 0.3 --lr 3e-4 --out own.pt

Without `--cuts`: sentences and words only, with the alignment output (label priors).  With
`--cuts` (digits_align.py): connected digit strings as well.  `--grammar`: the loss that counts is CTC
over blank, the ten digits and "anything else" and, for strings of digits alone, just what scoring makes of
them, so that the loss is the LLR that counts (step 6).  `--own-share`: fine-tuning, this
share of every batch is the operator's own recordings (digits_data.py --own).
The length is given in minutes of wall time or in steps; the learning rate rises linearly for
the first 4 % and falls by a cosine.  The checkpoint holds a running average of the weights
(what is shipped) and is written every minute; `--resume` goes on from `OUT.last`.
"""
import argparse
import math
import os
import time

import numpy as np
import torch

import digits_batch
import digits_data
import digits_model
import digits_score
import digits_units as du
from common import Progress, half, log, save_atomic, seed_everything, write_json


def ctc(logp, labels, device):
    """Mean CTC loss per label; logp [B, T', C] float32."""
    sizes = torch.tensor([len(x) for x in labels])
    flat = torch.tensor([u for x in labels for u in x], dtype=torch.long)
    frames = torch.full((len(labels),), logp.shape[1], dtype=torch.long)
    loss = torch.nn.functional.ctc_loss(
        logp.transpose(0, 1), flat.to(device), frames, sizes, reduction="none",
        zero_infinity=True)
    return loss.sum() / sizes.sum()


class Average:
    """Exponential average of weights and statistics."""

    def __init__(self, net, decay=0.9995):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net):
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (10 + self.steps))
        mine, theirs = [], []
        for k, v in net.state_dict().items():
            if v.is_floating_point():
                mine.append(self.state[k]), theirs.append(v)
            else:
                self.state[k].copy_(v)
        torch._foreach_lerp_(mine, theirs, 1 - d)


@torch.no_grad()
def check(net, pipeline, batches, units, device):
    """Greedy unit error rate per kind of example and digit-string error of held-out batches."""
    net.eval()
    wrong, count = 0, 0
    for batch in batches:
        logp = net(pipeline(batch, spec=False))[0].argmax(2).cpu().numpy()
        for path, labels in zip(logp, batch["units"]):
            heard = [int(u) for u, before in zip(path, np.r_[-1, path[:-1]]) if u and u != before]
            wrong += distance(heard, labels)
            count += len(labels)
    net.train()
    return wrong / max(1, count)


def distance(a, b):
    """Levenshtein distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def held_batches(data, audio, cuts, batches, seed=99):
    """Fixed batches of the speakers kept aside, by kind."""
    out = {}
    kinds = ["sentence", "en"] + (["zhdigits", "endigits"] if cuts else [])
    for kind in kinds:
        composer = digits_batch.Composer(data, audio, cuts, held=True, shares={kind: 1.0})
        rng = np.random.default_rng(seed)
        out[kind] = [composer.batch(rng, 150) for _ in range(batches)]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--audio", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cuts")
    parser.add_argument("--init", help="start from these weights")
    parser.add_argument("--resume", action="store_true", help="go on from OUT.last")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--batch-seconds", type=float, default=700)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--drop", type=float, default=0.1)
    parser.add_argument("--align-weight", type=float, default=0.5)
    parser.add_argument("--own-share", type=float, default=0.0)
    parser.add_argument("--digit-share", type=float, default=0.0,
                        help="part of the examples that are joined digit strings (default 0.47)")
    parser.add_argument("--grammar", type=float, default=0.0,
                        help="weight of the loss under the digit grammar (0..1): last step")
    parser.add_argument("--freeze-norm", action="store_true",
                        help="keep the batch statistics (small batches)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the telephone chain")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--limit", type=int, default=0, help="about this many rows (dry run)")
    parser.add_argument("--check-batches", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log")
    args = parser.parse_args()
    if not args.minutes and not args.steps:
        parser.error("give --minutes or --steps")
    seed_everything(args.seed)
    device = args.device
    cuts = None
    data, audio = digits_data.load(args.manifest, args.audio, args.limit)
    if args.cuts:
        import digits_align
        cuts = digits_align.load_cuts(args.cuts, data)
    units, phones = data["units"], data["phones"]
    audio = np.array(audio)
    composer = digits_batch.Composer(data, audio, cuts, own_share=args.own_share,
                                     digit_share=args.digit_share)
    log(f"{len(composer.rows)} training rows, shares "
        + ", ".join(f"{k} {v:.2f}" for k, v in zip(composer.kinds, composer.p)), args.log)
    loader = torch.utils.data.DataLoader(
        digits_batch.Stream(composer, args.batch_seconds, args.seed), batch_size=None,
        num_workers=args.workers, prefetch_factor=6 if args.workers else None)
    held = held_batches(data, audio, cuts, args.check_batches) if args.check_batches else {}
    pipeline = digits_batch.Pipeline(torch.from_numpy(audio).to(device), args.strength).to(device)
    plain = digits_batch.Pipeline(pipeline.audio, 0).to(device)

    net = digits_model.DigitNet(len(units), len(phones), drop=args.drop).to(device)
    prior = torch.full((len(phones),), -math.log(len(phones)), device=device)
    if args.init:
        start, state = digits_model.load_checkpoint(args.init)
        if state["units"] != units:
            raise SystemExit("the checkpoint was trained with other units")
        net.load_state_dict(start.state_dict(), strict=False)
        prior = state.get("prior", prior).to(device)
    average = Average(net)
    grammar = digits_model.Grammar(units, du.LEXICON, digits_score.WEIGHTS)
    optimiser = torch.optim.AdamW(
        [{"params": [p for p in net.parameters() if p.dim() > 1]},
         {"params": [p for p in net.parameters() if p.dim() <= 1], "weight_decay": 0.0}],
        lr=args.lr, betas=(0.9, 0.98), weight_decay=args.weight_decay,
        fused=device.startswith("cuda"))
    done, used = 0, 0.0
    if args.resume and os.path.exists(args.out + ".last"):
        last = torch.load(args.out + ".last", map_location=device, weights_only=True)
        net.load_state_dict(last["net"]), optimiser.load_state_dict(last["optimiser"])
        average.state, average.steps = last["average"], last["done"]
        done, used, prior = last["done"], last["used"], last["prior"]

    def save(final=False):
        weights = {k: v.cpu() for k, v in average.state.items()}
        if final and cuts:
            weights = {k: v for k, v in weights.items() if not k.startswith("align")}
        config = dict(net.config)
        if final and cuts:
            config["phones"] = 0
        save_atomic({"config": config, "units": units, "phones": phones,
                     "prior": prior.cpu(), "model": half(weights)}, args.out)
        if not final:
            save_atomic({"net": net.state_dict(), "optimiser": optimiser.state_dict(),
                         "average": average.state, "done": done, "used": used, "prior": prior},
                        args.out + ".last")

    def report(name):
        shadow = digits_model.DigitNet(**net.config).to(device)
        shadow.load_state_dict(average.state)
        rates = {}
        for kind, batches in held.items():
            rates[kind] = check(shadow, plain, batches, units, device)
            rates[kind + "+phone"] = check(shadow, pipeline, batches, units, device)
        log(f"{name}: step {done}, {used:.0f} s; kept-aside unit error % "
            + ", ".join(f"{k} {100 * v:.1f}" for k, v in rates.items()), args.log)
        return rates

    def training():
        net.train()
        if args.freeze_norm:
            for module in net.modules():
                if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                    module.eval()

    training()
    progress = Progress("train", 1.0)
    begin = time.time() - used
    saved = time.time()
    history, losses, next_report = [], [], 0.34
    with_prior = bool(args.init)
    for batch in loader:
        used = time.time() - begin
        part = max(done / args.steps if args.steps else 0,
                   used / (60 * args.minutes) if args.minutes else 0)
        if part >= 1:
            break
        rate = args.lr * min(1.0, part / 0.04 + 0.01) * (0.02 + 0.98 * 0.5 * (1 + math.cos(
            math.pi * min(1.0, max(0.0, (part - 0.04) / 0.96)))))
        for group in optimiser.param_groups:
            group["lr"] = rate
        feats = pipeline(batch)
        with torch.autocast(device_type=device.split(":")[0], dtype=torch.bfloat16):
            logits, extra = net(feats)
        loss = ctc(torch.log_softmax(logits.float(), dim=2), batch["units"], device)
        total = loss
        if args.grammar:
            total = (1 - args.grammar) * loss
            for lang in sorted(set(batch["lang"])):
                rows = [k for k, v in enumerate(batch["lang"]) if v == lang]
                labels = [grammar.labels(batch["units"][k], lang) for k in rows]
                for view, strings in ((grammar.scored, True), (grammar.collapse, False)):
                    mine = [j for j, x in enumerate(labels) if (max(x) <= 10) == strings]
                    if mine:
                        loss = ctc(view(logits[[rows[j] for j in mine]].float(), lang), [labels[j] for j in mine], device)
                        total = total + args.grammar * loss * len(mine) / len(batch["lang"])
        rows = [k for k, p in enumerate(batch["phones"]) if p]
        if rows and extra is not None and args.align_weight:
            logp = torch.log_softmax(extra[rows].float(), dim=2)
            with torch.no_grad():
                mean = torch.logsumexp(logp.reshape(-1, logp.shape[2]), 0) - math.log(
                    logp.shape[0] * logp.shape[1])
                prior = torch.logaddexp(prior + math.log(0.99), mean + math.log(0.01))
            if with_prior or part > 0.12:
                logp = logp - 0.3 * prior
            total = total + args.align_weight * ctc(logp, [batch["phones"][k] for k in rows],
                                                    device)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update(net)
        done += 1
        losses.append(loss.detach())
        if done % 50 == 0:
            value = float(torch.stack(losses).mean())
            losses.clear()
            history.append([done, round(used, 1), round(value, 4)])
            progress.update(part, f"step {done} loss {value:.3f} {done / max(used, 1e-3):.1f}/s")
            if not math.isfinite(value):
                raise SystemExit("loss is not finite")
        if part > next_report and held:
            report("during")
            next_report += 0.33
        if time.time() - saved > 60:
            save()
            saved = time.time()
    save()
    rates = report("end") if held else {}
    save(final=True)
    write_json({"steps": done, "seconds": round(used, 1), "history": history,
                "held": rates, "arguments": {k: v for k, v in vars(args).items() if k in (
                    "minutes", "steps", "batch_seconds", "lr", "drop", "seed", "own_share", "digit_share", "grammar")}},
               args.out + ".json")


if __name__ == "__main__":
    main()
