"""The digit recogniser's network: a small convolutional CTC model.

Shapes
  feats      float32 [N, T, 80]   log-mel frames (features.py), each band's mean removed
  log-post.  float32 [N, ceil(T / 3), units], natural logarithm, one frame every 30 ms;
             output frame t is centred on input frame 3 t, that is on sample 240 t + 40

Front: two 2-D convolutions over time and mel (together a third of the frames and a quarter
of the bands), a linear map to `channels`.  Body: `blocks` residual blocks, each a depth-wise
convolution over time, batch normalisation, and a two-layer point-wise network (the shape of
ConvNeXt, Liu et al. 2022, in one dimension, as in ASR's QuartzNet family).  Everything is
local (the body sees about 1.2 s to each side) so that the model can learn little about
which digit follows which.  Batch normalisation folds into the convolutions on export.

A second output, `align`, exists in training only: initials, finals and phones, trained with
label priors (Huang et al. 2024, "Less peaky and more accurate CTC forced alignment by label
priors") so that its forced alignment gives usable syllable boundaries.
"""
import torch
from torch import nn

FRAME_STEP = 3            # input frames per output frame
FRAME_SAMPLES = 240       # samples per output frame
MELS = 80


class Block(nn.Module):
    def __init__(self, channels: int, kernel: int, expansion: int, drop: float):
        super().__init__()
        inner = channels * expansion
        self.depth = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels,
                               bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.up = nn.Conv1d(channels, inner, 1)
        self.down = nn.Conv1d(inner, channels, 1, bias=False)
        self.scale = nn.BatchNorm1d(channels)
        self.drop = nn.Dropout(drop)
        nn.init.constant_(self.scale.weight, 0.2)

    def forward(self, x):
        y = self.norm(self.depth(x))
        y = self.drop(nn.functional.silu(self.up(y)))
        return x + self.scale(self.down(y))


class DigitNet(nn.Module):
    def __init__(self, units: int, phones: int = 0, channels: int = 184, blocks: int = 8,
                 kernel: int = 11, expansion: int = 3, drop: float = 0.1):
        super().__init__()
        self.config = dict(units=units, phones=phones, channels=channels, blocks=blocks,
                           kernel=kernel, expansion=expansion, drop=drop)
        self.front = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=(1, 2), padding=1, bias=False), nn.BatchNorm2d(16),
            nn.SiLU(),
            nn.Conv2d(16, 32, 3, stride=(FRAME_STEP, 2), padding=1, bias=False),
            nn.BatchNorm2d(32), nn.SiLU())
        self.enter = nn.Conv1d(32 * MELS // 4, channels, 1)
        self.blocks = nn.Sequential(*(Block(channels, kernel, expansion, drop)
                                      for _ in range(blocks)))
        self.last = nn.BatchNorm1d(channels)
        self.head = nn.Conv1d(channels, units, 1)
        self.align = nn.Conv1d(channels, phones, 1) if phones else None

    def encode(self, feats):
        """[N, T, 80] -> [N, channels, ceil(T / 3)]."""
        x = self.front(feats.unsqueeze(1))
        n, c, t, m = x.shape
        x = x.permute(0, 1, 3, 2).reshape(n, c * m, t)
        return nn.functional.silu(self.last(self.blocks(self.enter(x))))

    def forward(self, feats):
        """Logits [N, T', units] and, in training with phones, [N, T', phones] (else None)."""
        x = self.encode(feats)
        extra = self.align(x).transpose(1, 2) if self.align is not None else None
        return self.head(x).transpose(1, 2), extra


class Grammar:
    """The digit grammar's view of the units, per language, as digits_score.py has it.

    `collapse(logits [N, T', units], lang)` -> log-posteriors [N, T', 12]: blank, digits 0..9
    (a digit's pronunciations added), filler (all other units of the language); units of the
    other language are left out.  `labels(units)` gives the classes of a transcript.
    """

    def __init__(self, units: list[str], lexicon: dict, weights: dict):
        self.weights = weights
        self.groups, self.table = {}, {}
        for lang, digits in lexicon.items():
            mine = {i: 11 for i, u in enumerate(units) if u.startswith(lang + ":")}
            for digit, names in digits.items():
                mine.update({units.index(n): 1 + int(digit) for n in names if n in units})
            self.table[lang] = mine
            self.groups[lang] = [[0]] + [[i for i, c in mine.items() if c == k]
                                         for k in range(1, 12)]

    def collapse(self, logits, lang: str):
        return torch.log_softmax(self.parts(logits, lang), dim=2)

    def scored(self, logits, lang: str):
        """[N, T', 11]: gap and digits as `digits_score.collapse` weighs them, floor and temperature left out, so
        that the CTC loss of a digit string is its LLR; `weights` are that module's."""
        parts = self.parts(logits, lang)
        gap = torch.logaddexp(parts[:, :, 0] + self.weights["blank"], parts[:, :, 11] + self.weights["filler"])
        return torch.log_softmax(torch.cat([gap[:, :, None], parts[:, :, 1:11]], dim=2), dim=2)

    def parts(self, logits, lang: str):
        return torch.stack([torch.logsumexp(logits[:, :, g], dim=2) for g in self.groups[lang]], dim=2)

    def labels(self, units: list[int], lang: str) -> list[int]:
        return [self.table[lang][u] for u in units]


class Exported(nn.Module):
    """What the ONNX file holds: feats [N, T, 80] -> log-posteriors [N, T', units]."""

    def __init__(self, net: DigitNet):
        super().__init__()
        self.net = net

    def forward(self, feats):
        return torch.log_softmax(self.net.head(self.net.encode(feats)).transpose(1, 2), dim=2)


def load_checkpoint(path: str, *others: str):
    """(net in eval mode, checkpoint dict) of a file written by digits_train.py; with `others`, runs from the same
    weights, the mean of their weights (Wortsman et al. 2022, "Model soups")."""
    state, *more = (torch.load(p, map_location="cpu", weights_only=True) for p in (path, *others))
    for name, value in state["model"].items():
        if more and value.is_floating_point():
            state["model"][name] = torch.stack([s["model"][name].float() for s in (state, *more)]).mean(0)
    net = DigitNet(**state["config"])
    weights = {k: v.float() if v.is_floating_point() else v for k, v in state["model"].items()}
    missing, unexpected = net.load_state_dict(weights, strict=False)
    if unexpected or any(not k.startswith("align") for k in missing):
        raise ValueError(f"weights do not fit: {missing} {unexpected}")
    return net.eval(), state
