"""Losses of the speaker model: additive angular margin with sub-centres, and distillation."""
import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear, normalize


class SubCentreAam(nn.Module):
    """Additive angular margin softmax (ArcFace, Deng 2019) with `centres` centres a class.

    `forward(embedding [B, D], label [B], margin) -> (loss, accuracy)`; a class's cosine is
    that of its nearest centre, so that a noisy label can have a centre of its own.

    `domain` int64 [classes] (corpus x language): all other domains together weigh as much as
    the example's own, so that voices are told apart within a domain and not by it. `hard`
    other classes, the nearest, are held off by a margin of their own, `hard_margin` at the
    full margin 0.2 (inter-top-k, Zhao et al. 2021).
    """

    def __init__(self, classes: int, domain: torch.Tensor, dim: int = 192, centres: int = 2, scale: float = 32.0,
                 hard: int = 5, hard_margin: float = 0.06):
        super().__init__()
        self.classes, self.centres, self.scale, self.hard, self.hard_margin = classes, centres, scale, hard, hard_margin
        self.weight = nn.Parameter(torch.empty(classes * centres, dim))
        nn.init.xavier_normal_(self.weight)
        size = torch.bincount(domain).float()
        self.register_buffer("domain", domain, persistent=False)
        self.register_buffer("farther", torch.log((classes - size) / size.clamp_min(1)).clamp(0, 4), persistent=False)

    def forward(self, embedding, label, margin: float):
        with torch.autocast(device_type=embedding.device.type, enabled=False):
            cosine = linear(normalize(embedding.float()), normalize(self.weight))
            if self.centres > 1:
                cosine = cosine.view(-1, self.classes, self.centres).amax(2)
            own = cosine.gather(1, label[:, None])
            sine = (1 - own.square()).clamp_min(1e-6).sqrt()
            moved = own * math.cos(margin) - sine * math.sin(margin)
            moved = torch.where(own > -math.cos(margin), moved, own - math.sin(margin) * margin)
            own_domain = self.domain[label]
            other = self.domain[None] != own_domain[:, None]
            logits = cosine * self.scale - other * self.farther[own_domain][:, None]
            logits = logits.scatter(1, label[:, None], -math.inf)
            push = self.hard_margin * margin / 0.2
            _, nearest = logits.detach().topk(self.hard, dim=1)
            near = cosine.gather(1, nearest)
            pushed = near * math.cos(push) + (1 - near.square()).clamp_min(1e-6).sqrt() * math.sin(push)
            logits = logits.scatter_add(1, nearest, (pushed - near) * self.scale)
            logits = logits.scatter(1, label[:, None], moved * self.scale)
            loss = cross_entropy(logits, label)
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
