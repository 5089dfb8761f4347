"""Losses of the speaker model: additive angular margin with sub-centres, and distillation."""
import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear, normalize


class SubCentreAam(nn.Module):
    """Additive angular margin softmax (ArcFace, Deng 2019) with `centres` centres a class.

    `forward(embedding [B, D], label [B], margin) -> (loss, accuracy)`; a class's cosine is
    that of its nearest centre, so that a noisy label can have a centre of its own.
    """

    def __init__(self, classes: int, dim: int = 192, centres: int = 2, scale: float = 32.0, smoothing: float = 0.0):
        super().__init__()
        self.classes, self.centres, self.scale, self.smoothing = classes, centres, scale, smoothing
        self.weight = nn.Parameter(torch.empty(classes * centres, dim))
        nn.init.xavier_normal_(self.weight)

    def forward(self, embedding, label, margin: float):
        with torch.autocast(device_type=embedding.device.type, enabled=False):
            cosine = linear(normalize(embedding.float()), normalize(self.weight))
            if self.centres > 1:
                cosine = cosine.view(-1, self.classes, self.centres).amax(2)
            own = cosine.gather(1, label[:, None])
            sine = (1 - own.square()).clamp_min(1e-6).sqrt()
            moved = own * math.cos(margin) - sine * math.sin(margin)
            moved = torch.where(own > -math.cos(margin), moved, own - math.sin(margin) * margin)
            logits = cosine.scatter(1, label[:, None], moved) * self.scale
            loss = cross_entropy(logits, label, label_smoothing=self.smoothing)
            accuracy = (cosine.argmax(1) == label).float().mean()
        return loss, accuracy


class Distillation(nn.Module):
    """Pull a student towards one or more teachers.

    Two parts: the student's embedding, through one linear map a teacher, points where the
    teacher's does; and the cosines between all pairs of a batch are the teachers' mean cosines
    (that part shapes exactly what scoring uses).
    """

    def __init__(self, teachers: int, dim: int = 192, cosine_weight: float = 4.0, pair_weight: float = 40.0):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(dim, dim, bias=False) for _ in range(teachers))
        for i, m in enumerate(self.maps):
            nn.init.eye_(m.weight) if i == 0 else nn.init.orthogonal_(m.weight)
        self.cosine_weight, self.pair_weight = cosine_weight, pair_weight

    def forward(self, student, teachers: list):
        with torch.autocast(device_type=student.device.type, enabled=False):
            own = normalize(student.float())
            targets = [normalize(t.float()) for t in teachers]
            angle = sum((1 - (normalize(m(own)) * t).sum(1)).mean() for m, t in zip(self.maps, targets)) / len(targets)
            pairs = sum(t @ t.T for t in targets) / len(targets)
            off = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
            difference = (own @ own.T - pairs)[off].square()
            weight = 1 + 20 * pairs[off].clamp_min(0)
            relation = (difference * weight).mean() / weight.mean()
        return self.cosine_weight * angle + self.pair_weight * relation
