"""Speaker networks: log-mel [B, T, 80] (mean-normalised) -> embedding [B, 192], not unit length.

A network is built from a small dict, which travels inside the checkpoints:

    {"kind": "ecapa",  "channels": 256, "pool": 768, ...}      1-D, the baseline's shape
    {"kind": "resnet", "channels": [..], "blocks": [..], ...}  2-D, time x frequency
    {"kind": "hybrid", ...}                                    2-D start, 1-D body

Sources: ECAPA-TDNN (Desplanques et al. 2020) in the baseline's stride-2 form; ResNet with
squeeze-excitation for speakers (as in WeSpeaker's recipes); the 2-D start before a 1-D body
follows CAM++ (Wang et al. 2023) and ReDimNet (Yakovlev et al. 2024) in spirit. Own code.
"""
import torch
from torch import nn

EMBEDDING = 192

PRESETS = {
    "ecapa": {"kind": "ecapa", "channels": 256, "pool": 768},
    "ecapa-512": {"kind": "ecapa", "channels": 512, "pool": 1536},
    "resnet-s": {"kind": "resnet", "channels": [32, 64, 128, 192], "blocks": [1, 2, 2, 1],
                 "strides": [[1, 1], [2, 2], [2, 2], [2, 1]]},
    "resnet-m": {"kind": "resnet", "channels": [48, 96, 192, 256], "blocks": [2, 3, 4, 2],
                 "strides": [[1, 1], [2, 2], [2, 2], [2, 1]]},
    "hybrid-s": {"kind": "hybrid", "channels2d": 32, "blocks2d": [1, 1], "channels": 256, "pool": 768},
}


class AttentivePool(nn.Module):
    """Attentive statistics over time: [B, C, T] -> [B, 2 C] (weighted mean and deviation)."""

    def __init__(self, channels: int, bottleneck: int = 96):
        super().__init__()
        self.first = nn.Conv1d(3 * channels, bottleneck, 1)
        self.norm = nn.BatchNorm1d(bottleneck)
        self.second = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, x):
        mean = x.mean(2, keepdim=True)
        deviation = ((x - mean).square().mean(2, keepdim=True) + 1e-4).sqrt()
        context = torch.cat([x, mean.expand_as(x), deviation.expand_as(x)], dim=1)
        weight = self.second(torch.tanh(self.norm(torch.relu(self.first(context)))))
        weight = torch.softmax(weight.float(), dim=2)
        x = x.float()
        centre = (x * weight).sum(2)
        spread = ((x.square() * weight).sum(2) - centre.square()).clamp_min(1e-4).sqrt()
        return torch.cat([centre, spread], dim=1)


class Head(nn.Module):
    """Pooled statistics -> embedding: norm, dropout, linear, norm."""

    def __init__(self, channels: int, dropout: float, embedding: int):
        super().__init__()
        self.pool = AttentivePool(channels)
        self.norm = nn.BatchNorm1d(2 * channels)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(2 * channels, embedding)
        self.last = nn.BatchNorm1d(embedding)

    def forward(self, x):
        return self.last(self.linear(self.dropout(self.norm(self.pool(x)))))


class Res2(nn.Module):
    """Hierarchical residual convolution over `scale` groups of channels, [B, C, T]."""

    def __init__(self, channels: int, dilation: int, scale: int):
        super().__init__()
        self.scale, width = scale, channels // scale
        self.convs = nn.ModuleList(nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
                                   for _ in range(scale - 1))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(scale - 1))

    def forward(self, x):
        parts = x.chunk(self.scale, dim=1)
        out, y = [], None
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = parts[i] if y is None else y + parts[i]
            y = norm(torch.relu(conv(y)))
            out.append(y)
        return torch.cat([*out, parts[-1]], dim=1)


class TdnnBlock(nn.Module):
    """SE-Res2 block of ECAPA-TDNN, [B, C, T]."""

    def __init__(self, channels: int, dilation: int, scale: int = 8):
        super().__init__()
        self.first, self.first_norm = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        self.res2 = Res2(channels, dilation, scale)
        self.last, self.last_norm = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        self.squeeze = nn.Sequential(nn.Linear(channels, 128), nn.ReLU(), nn.Linear(128, channels), nn.Sigmoid())

    def forward(self, x):
        y = self.first_norm(torch.relu(self.first(x)))
        y = self.res2(y)
        y = self.last_norm(torch.relu(self.last(y)))
        return x + y * self.squeeze(y.mean(2))[:, :, None]


class TdnnBody(nn.Module):
    """Three SE-Res2 blocks, their outputs joined: [B, C, T] -> [B, P, T]."""

    def __init__(self, channels: int, pool: int, dilations=(2, 3, 4)):
        super().__init__()
        self.blocks = nn.ModuleList(TdnnBlock(channels, d) for d in dilations)
        self.join = nn.Conv1d(channels * len(dilations), pool, 1)

    def forward(self, x):
        outs = []
        for block in self.blocks:
            x = block(x)
            outs.append(x)
        return torch.relu(self.join(torch.cat(outs, dim=1)))


class Ecapa(nn.Module):
    def __init__(self, channels=256, pool=768, dropout=0.0, embedding=EMBEDDING):
        super().__init__()
        self.start = nn.Conv1d(80, channels, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm1d(channels)
        self.body = TdnnBody(channels, pool)
        self.head = Head(pool, dropout, embedding)

    def forward(self, feats):
        x = self.norm(torch.relu(self.start(feats.transpose(1, 2))))
        return self.head(self.body(x))


class Block2d(nn.Module):
    """Two 3x3 convolutions with a squeeze-excitation over channels, [B, C, F, T]."""

    def __init__(self, inside: int, out: int, stride, squeeze: bool = True):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride=tuple(stride), padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.squeeze = nn.Sequential(nn.Linear(out, max(8, out // 8)), nn.ReLU(),
                                     nn.Linear(max(8, out // 8), out), nn.Sigmoid()) if squeeze else None
        self.skip = None
        if inside != out or tuple(stride) != (1, 1):
            self.skip = nn.Sequential(nn.Conv2d(inside, out, 1, stride=tuple(stride), bias=False),
                                      nn.BatchNorm2d(out))

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.squeeze is not None:
            y = y * self.squeeze(y.mean((2, 3)))[:, :, None, None]
        return torch.relu(y + (x if self.skip is None else self.skip(x)))


class Resnet(nn.Module):
    """2-D network; strides are [frequency, time] per stage, the first layer halves both."""

    def __init__(self, channels, blocks, strides, stem_stride=(2, 2), dropout=0.0, embedding=EMBEDDING):
        super().__init__()
        self.stem = nn.Conv2d(1, channels[0], 5 if max(stem_stride) > 1 else 3, stride=tuple(stem_stride),
                              padding=2 if max(stem_stride) > 1 else 1, bias=False)
        self.norm = nn.BatchNorm2d(channels[0])
        layers, inside, bands = [], channels[0], 80 // stem_stride[0]
        for out, count, stride in zip(channels, blocks, strides):
            for i in range(count):
                layers.append(Block2d(inside, out, stride if i == 0 else (1, 1)))
                inside = out
            bands = -(-bands // stride[0])
        self.blocks = nn.Sequential(*layers)
        self.head = Head(inside * bands, dropout, embedding)

    def forward(self, feats):
        x = feats.transpose(1, 2)[:, None]
        if x.is_cuda:
            x = x.contiguous(memory_format=torch.channels_last)
        x = torch.relu(self.norm(self.stem(x)))
        x = self.blocks(x)
        return self.head(x.flatten(1, 2))


class Hybrid(nn.Module):
    """A shallow 2-D start (shift-tolerant in frequency), then the 1-D body."""

    def __init__(self, channels2d=32, blocks2d=(1, 1), channels=256, pool=768, dropout=0.0, embedding=EMBEDDING):
        super().__init__()
        c = channels2d
        self.stem = nn.Conv2d(1, c, 5, stride=(2, 2), padding=2, bias=False)
        self.norm = nn.BatchNorm2d(c)
        layers = []
        for count in blocks2d:
            layers += [Block2d(c, c, (2, 1) if i == 0 else (1, 1)) for i in range(count)]
        self.blocks = nn.Sequential(*layers)
        bands = 40 // 2 ** len(blocks2d)
        self.narrow = nn.Conv1d(c * bands, channels, 1)
        self.narrow_norm = nn.BatchNorm1d(channels)
        self.body = TdnnBody(channels, pool)
        self.head = Head(pool, dropout, embedding)

    def forward(self, feats):
        x = feats.transpose(1, 2)[:, None]
        if x.is_cuda:
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.blocks(torch.relu(self.norm(self.stem(x))))
        x = self.narrow_norm(torch.relu(self.narrow(x.flatten(1, 2))))
        return self.head(self.body(x))


def build(config: dict) -> nn.Module:
    """A network from its config dict (see the module's head) or a preset's name."""
    config = dict(PRESETS[config] if isinstance(config, str) else config)
    return {"ecapa": Ecapa, "resnet": Resnet, "hybrid": Hybrid}[config.pop("kind")](**config)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
