"""Telephone augmentation of whole batches, on CPU or GPU.

Every function takes float32 samples [B, N] at 8 kHz, about [-1, 1], and returns the same
shape; each example draws its own random values from torch's generator. `Augment` is the chain
that training uses:

    augment = Augment().to(device)
    noisy = augment(samples)                 # all steps at their default probabilities
    phone = telephone(samples)               # one step alone

Codecs: G.711 mu-law and A-law are exact (G.711's segment curves in their continuous form,
8 bits). GSM/AMR are approximated, not run: quantisation noise that follows the short-time
spectral envelope (as a code-excited coder's weighting filter shapes it), stronger at high
frequencies, and lost frames that are faded or repeated. Reverberation is synthetic: an
exponentially decaying noise tail behind a direct path.
"""
import math

import torch

SAMPLE_RATE = 8000


def uniform(n: int, low: float, high: float, device) -> torch.Tensor:
    return torch.rand(n, device=device) * (high - low) + low


def rms(x: torch.Tensor) -> torch.Tensor:
    """Root mean square per example, [B, 1]."""
    return x.square().mean(dim=1, keepdim=True).clamp_min(1e-12).sqrt()


def mu_law(x: torch.Tensor) -> torch.Tensor:
    """G.711 mu-law, 8 bits: compress, round, expand."""
    mu = 255.0
    y = torch.sign(x) * torch.log1p(mu * x.abs().clamp(max=1)) / math.log1p(mu)
    y = torch.round(y * 127) / 127
    return torch.sign(y) * torch.expm1(y.abs() * math.log1p(mu)) / mu


def a_law(x: torch.Tensor) -> torch.Tensor:
    """G.711 A-law, 8 bits."""
    a, k = 87.6, 1 + math.log(87.6)
    v = x.abs().clamp(max=1)
    y = torch.where(v < 1 / a, a * v / k, (1 + torch.log((a * v).clamp_min(1))) / k)
    y = torch.round(y * 127) / 127
    z = torch.where(y < 1 / k, y * k / a, torch.exp(y * k - 1) / a)
    return torch.sign(x) * z


def spectral_gain(x: torch.Tensor, gain_db: torch.Tensor) -> torch.Tensor:
    """Multiply the spectrum by gains in dB given at K equally spaced points, [B, K]."""
    n = x.shape[1]
    spectrum = torch.fft.rfft(x, n=n)
    gain = torch.nn.functional.interpolate(gain_db[:, None], size=spectrum.shape[1], mode="linear",
                                           align_corners=True)[:, 0]
    return torch.fft.irfft(spectrum * (10 ** (gain / 20)), n=n)


def telephone(x: torch.Tensor) -> torch.Tensor:
    """A random handset and line: band edges, spectral tilt and a smooth random curve."""
    b, device = x.shape[0], x.device
    points = 128
    f = torch.linspace(0, 4000, points, device=device)[None]
    low, high = uniform(b, 60, 380, device)[:, None], uniform(b, 2900, 3900, device)[:, None]
    slope_low, slope_high = uniform(b, 6, 30, device)[:, None], uniform(b, 20, 80, device)[:, None]
    gain = -slope_low * torch.log2((low / f.clamp_min(20)).clamp_min(1))
    gain = gain - slope_high * torch.log2((f / high).clamp_min(1)) * 4
    tilt = uniform(b, -4.0, 4.0, device)[:, None]
    gain = gain + tilt * torch.log2(f.clamp_min(100) / 1000)
    bumps = torch.randn(b, 1, 10, device=device) * uniform(b, 0.0, 3.5, device)[:, None, None]
    gain = gain + torch.nn.functional.interpolate(bumps, size=points, mode="linear", align_corners=True)[:, 0]
    return spectral_gain(x, gain.clamp(-60, 20))


def coloured_noise(like: torch.Tensor) -> torch.Tensor:
    """Noise with a 1/f^a spectrum, a in [-0.5, 2], sometimes with a slow level contour; rms 1."""
    b, n = like.shape
    spectrum = torch.fft.rfft(torch.randn(b, n, device=like.device))
    f = torch.linspace(0, 4000, spectrum.shape[1], device=like.device).clamp_min(60)[None] / 1000
    noise = torch.fft.irfft(spectrum * f ** (-0.5 * uniform(b, -0.5, 2.0, like.device)[:, None]), n=n)
    contour = torch.randn(b, 1, 12, device=like.device) * uniform(b, 0, 6, like.device)[:, None, None]
    contour = torch.nn.functional.interpolate(contour, size=n, mode="linear", align_corners=True)[:, 0]
    noise = noise * 10 ** (contour / 20)
    return noise / rms(noise)


def babble(count: int, pool: torch.Tensor, voices: int = 6) -> torch.Tensor:
    """`count` mixtures of up to `voices` examples of `pool` [B, N], rms 1: [count, N]."""
    total = 0
    for i in range(voices):
        other = pool[torch.randint(len(pool), (count,), device=pool.device)]
        shift = int(torch.randint(pool.shape[1], (1,)))
        keep = (torch.rand(count, device=pool.device) < (1.0 if i == 0 else 0.6))[:, None]
        level = 10 ** (uniform(count, -6, 3, pool.device)[:, None] / 20)
        total = total + (other / rms(other)).roll(shift, 1) * keep * level
    return total / rms(total)


def add_at_snr(x: torch.Tensor, noise: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
    """Add noise of rms 1 at `snr_db` [B] below the signal."""
    return x + noise * rms(x) * 10 ** (-snr_db[:, None] / 20)


def reverberate(x: torch.Tensor, impulse: torch.Tensor) -> torch.Tensor:
    """Convolve with impulse responses [B, M] whose direct path is at 0; same length, same level."""
    n = x.shape[1]
    size = 1 << (n + impulse.shape[1] - 1).bit_length()
    y = torch.fft.irfft(torch.fft.rfft(x, n=size) * torch.fft.rfft(impulse, n=size), n=size)[:, :n]
    return y * (rms(x) / rms(y))


def impulses(b: int, device, length: int = 3200) -> torch.Tensor:
    """Synthetic room responses, [B, length]: T60 0.08 to 0.6 s, direct-to-tail 0 to 15 dB."""
    t = torch.arange(length, device=device)[None] / SAMPLE_RATE
    t60 = uniform(b, 0.08, 0.6, device)[:, None]
    delay = uniform(b, 0.001, 0.02, device)[:, None]
    tail = torch.randn(b, length, device=device) * torch.exp(-6.9 * t / t60) * (t > delay)
    tail = tail / tail.square().sum(1, keepdim=True).clamp_min(1e-9).sqrt()
    out = tail * 10 ** (-uniform(b, 0, 15, device)[:, None] / 20)
    out[:, 0] = 1.0
    return out


def coder_noise(x: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
    """GSM/AMR-like: noise shaped by each frame's spectral envelope (see the module's head)."""
    n = x.shape[1]
    window = torch.hann_window(256, device=x.device)
    stft = torch.stft(x, 256, 128, window=window, return_complex=True)
    envelope = torch.nn.functional.avg_pool1d(
        stft.abs().square().transpose(1, 2).reshape(-1, 1, 129), 9, 1, 4, count_include_pad=False
    ).reshape(x.shape[0], -1, 129).transpose(1, 2).clamp_min(1e-12)
    gamma = 0.35
    shape = envelope ** gamma
    shape = shape * (envelope.sum(1, keepdim=True) / shape.sum(1, keepdim=True).clamp_min(1e-12))
    tilt = torch.linspace(-2, 3, 129, device=x.device)[None, :, None]
    amount = 10 ** ((tilt - snr_db[:, None, None]) / 20)
    noise = torch.complex(torch.randn_like(shape), torch.randn_like(shape)) * math.sqrt(0.5)
    return torch.istft(stft + noise * shape.sqrt() * amount, 256, 128, window=window, length=n)


def lose_frames(x: torch.Tensor, rate: torch.Tensor, frame: int = 160) -> torch.Tensor:
    """Lost 20 ms frames: the frame before is repeated at a falling level."""
    b, n = x.shape
    count = n // frame
    frames = x[:, : count * frame].reshape(b, count, frame)
    lost = (torch.rand(b, count, device=x.device) < rate[:, None])[:, :, None]
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1) * 0.6
    frames = torch.where(lost, before, frames)
    return torch.cat([frames.reshape(b, -1), x[:, count * frame:]], dim=1)


class Augment(torch.nn.Module):
    """The training chain. `strength` scales every probability (0: nothing happens)."""

    def __init__(self, strength: float = 1.0, babble_snr=(5.0, 20.0), noise_snr=(5.0, 25.0), faint_snr=(20.0, 55.0)):
        super().__init__()
        self.strength, self.babble_snr, self.noise_snr, self.faint_snr = strength, babble_snr, noise_snr, faint_snr

    def some(self, x: torch.Tensor, p: float, change) -> torch.Tensor:
        """`change` applied to a random share `p` of the batch (only they are computed)."""
        count = int(p * self.strength * len(x) + torch.rand(()).item())
        if not count:
            return x
        chosen = torch.randperm(len(x), device=x.device)[:count]
        return x.index_copy(0, chosen, change(x[chosen]))

    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        device, pool = x.device, x
        x = self.some(x, 0.3, lambda v: reverberate(v, impulses(len(v), device)))
        x = self.some(x, 0.25, lambda v: add_at_snr(v, babble(len(v), pool), uniform(len(v), *self.babble_snr, device)))
        x = self.some(x, 0.4, lambda v: add_at_snr(v, coloured_noise(v), uniform(len(v), *self.noise_snr, device)))
        x = self.some(x, 0.5, lambda v: add_at_snr(v, coloured_noise(v), uniform(len(v), *self.faint_snr, device)))
        x = self.some(x, 0.6, telephone)
        x = self.some(x, 0.2, lambda v: coder_noise(v, uniform(len(v), 6, 18, device)))
        x = self.some(x, 0.08, lambda v: lose_frames(v, uniform(len(v), 0.01, 0.08, device)))
        level = 10 ** (uniform(len(x), -32, 3, device)[:, None] / 20)
        x = (x / x.abs().amax(dim=1, keepdim=True).clamp_min(1e-6) * level).clamp(-1, 1)
        x = self.some(x, 0.25, mu_law)
        x = self.some(x, 0.25, a_law)
        return torch.round(x * 32768) / 32768


@torch.no_grad()
def spec_augment(feats: torch.Tensor, p: float = 0.5, bands: int = 10, frames: int = 20, count: int = 2) -> torch.Tensor:
    """Zero up to `count` stretches of frames and of mel bands; feats [B, T, 80], mean 0 per band."""
    b, t, m = feats.shape
    out = feats
    for size, dim, widest in ((t, 1, min(frames, t // 8)), (m, 2, bands)):
        position = torch.arange(size, device=feats.device)[None]
        for _ in range(count):
            width = (torch.rand(b, device=feats.device) * (widest + 1)).floor()
            width = width * (torch.rand(b, device=feats.device) < p)
            begin = torch.rand(b, device=feats.device) * (size - width)
            hidden = (position >= begin[:, None]) & (position < (begin + width)[:, None])
            out = out.masked_fill(hidden[:, :, None] if dim == 1 else hidden[:, None, :], 0.0)
    return out


@torch.no_grad()
def resample(x: torch.Tensor, up: int, down: int, half_width: int = 16) -> torch.Tensor:
    """Windowed-sinc resampling of one signal [N] by up/down (10, 9: slower and lower by 10/9).

    Played back at the old rate, a signal resampled by up/down lasts up/down times as long and
    sounds down/up times as high: the "speed perturbation" of speaker training.
    """
    cutoff = min(1.0, up / down) * 0.97
    positions = torch.arange(up, device=x.device, dtype=torch.float64) * down / up
    whole = positions.floor()
    reach = int(math.ceil(half_width / min(1.0, up / down)))
    taps = torch.arange(-reach + 1, reach + 1, device=x.device, dtype=torch.float64)
    t = taps[None] - (positions - whole)[:, None]
    kernel = torch.sinc(t * cutoff) * cutoff * torch.cos(t / (reach + 1) * math.pi / 2).clamp_min(0) ** 2
    filters = torch.zeros(up, 2 * reach + down, device=x.device, dtype=torch.float64)
    for phase in range(up):
        begin = int(whole[phase])
        filters[phase, begin: begin + 2 * reach] = kernel[phase]
    padded = torch.nn.functional.pad(x[None].float(), (reach - 1, reach + down + 1))[0]
    y = padded.unfold(0, 2 * reach + down, down) @ filters.float().T
    return y.reshape(-1)[: x.shape[0] * up // down]
