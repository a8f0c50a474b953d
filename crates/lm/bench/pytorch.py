"""PyTorch's side of `cargo xtask bench`: the same shapes, tasks, loss and padding (none), on one thread, at its best:
scaled_dot_product_attention, fused AdamW, inference_mode. Prints one JSON line per shape and task."""

import json
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(1)
torch.manual_seed(1)
LASTING = 3.0


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Layer(nn.Module):
    def __init__(self, width, heads, kv, ff):
        super().__init__()
        self.heads, self.kv, self.dim = heads, kv, width // heads
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(width, kv * self.dim, bias=False)
        self.v = nn.Linear(width, kv * self.dim, bias=False)
        self.o = nn.Linear(width, width, bias=False)
        self.q_norm, self.k_norm = RmsNorm(self.dim), RmsNorm(self.dim)
        self.gate = nn.Linear(width, ff, bias=False)
        self.up = nn.Linear(width, ff, bias=False)
        self.down = nn.Linear(ff, width, bias=False)
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        h = self.norm1(x)
        q = self.q_norm(self.q(h).view(batch, length, self.heads, self.dim)).transpose(1, 2)
        k = self.k_norm(self.k(h).view(batch, length, self.kv, self.dim)).transpose(1, 2)
        v = self.v(h).view(batch, length, self.kv, self.dim).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.o(a.transpose(1, 2).reshape(batch, length, width))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Decoder(nn.Module):
    def __init__(self, width, heads, kv, ff, vocab, length):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.layers = nn.ModuleList(Layer(width, heads, kv, ff) for _ in range(4))
        self.norm = RmsNorm(width)
        half = width // heads // 2
        angles = torch.arange(length)[:, None] * 10_000.0 ** (-torch.arange(half) / half)[None]
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def hidden(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return self.norm(x)


def measure(call):
    for _ in range(2):
        call()
    with FlopCounterMode(display=False) as counter:
        call()
    started, calls = time.perf_counter(), 0
    while time.perf_counter() - started < LASTING:
        call()
        calls += 1
    return calls / (time.perf_counter() - started), counter.get_total_flops()


for name, (width, heads, kv, ff, vocab, length) in {
    "A": (256, 8, 4, 768, 1024, 128),
    "B": (128, 4, 2, 384, 512, 64),
}.items():
    model = Decoder(width, heads, kv, ff, vocab, length)
    tokens = torch.randint(0, vocab, (32, length))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

    def train():
        logits = F.linear(model.hidden(tokens)[:, :-1], model.embed.weight)
        loss = F.cross_entropy(logits.reshape(-1, vocab), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    def infer():
        with torch.inference_mode():
            return F.linear(model.hidden(tokens)[:, -1], model.embed.weight)

    for task, call in (("train", train), ("infer", infer)):
        rate, operations = measure(call)
        line = {"shape": name, "task": task, "tokens_per_s": rate * tokens.numel(), "operations": operations}
        print(json.dumps(line), flush=True)
