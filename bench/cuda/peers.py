"""PyTorch on a GPU: the lesson's training step, and nn.LSTM and nn.GRU layers, eager and as CUDA graphs.

    peers.py lesson FILE SECONDS     CSV as lesson.cu prints it
    peers.py recurrent SECONDS       CSV as recurrent.cu prints it
"""
import statistics
import sys
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

device = torch.device("cuda")
STEPS = 512


def quartiles(times):
    times = sorted(times)
    return statistics.median(times), times[3 * len(times) // 4] - times[len(times) // 4]


class Lesson(torch.nn.Module):
    def __init__(self, sparse):
        super().__init__()
        self.embedding = torch.nn.Embedding(95812, 64, sparse=sparse)
        self.rnn = torch.nn.LSTM(64, 32, batch_first=True)
        self.fc = torch.nn.Linear(32, 4)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.rnn(packed)
        return self.fc(h[-1])


def lesson(path, seconds):
    batches = []
    for line in open(path):
        sequences = [torch.tensor([int(word) for word in one.split()]) for one in line.strip().split(";")]
        lengths = torch.tensor([len(one) for one in sequences])
        batches.append((pad_sequence(sequences, batch_first=True), lengths, lengths % 4))
    for name in ("sparse_adam", "adam fused", "adam foreach"):
        torch.manual_seed(1)
        net = Lesson(sparse=name == "sparse_adam").to(device)
        if name == "sparse_adam":
            rest = [p for n, p in net.named_parameters() if n != "embedding.weight"]
            optimizers = [torch.optim.SparseAdam([net.embedding.weight]), torch.optim.Adam(rest, fused=True)]
        else:
            optimizers = [torch.optim.Adam(net.parameters(), fused=name == "adam fused", foreach=name == "adam foreach")]
        loss_of = torch.nn.CrossEntropyLoss()
        times, spent = [], 0.0
        while len(times) < 5 or spent < seconds:
            begin = time.perf_counter()
            for ids, lengths, targets in batches:
                for optimizer in optimizers:
                    optimizer.zero_grad(set_to_none=True)
                loss = loss_of(net(ids.to(device), lengths), targets.to(device))
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                loss.item()
            torch.cuda.synchronize()
            took = time.perf_counter() - begin
            spent += took
            times.append(1000 * took / len(batches))
        median, spread = quartiles(times[1:])
        print(f"pytorch {torch.__version__} {name},{median:.4f},{spread:.4f}", flush=True)


def time_calls(call, seconds):
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    times, spent = [], 0.0
    while len(times) < 3 or (spent < seconds and len(times) < 30):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
        spent += times[-1] / 1000
    return quartiles(times)


def recurrent(seconds):
    for cell, module in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)):
        for format, dtype in (("f32x3", torch.float32), ("bf16", torch.bfloat16)):
            for hidden in (32, 128, 512):
                layer = module(hidden, hidden).to(device, dtype)
                x = torch.randn(STEPS, 64, hidden, device=device, dtype=dtype, requires_grad=True)
                gradient = torch.randn(STEPS, 64, hidden, device=device, dtype=dtype)

                def training(layer=layer, x=x, gradient=gradient):
                    layer(x)[0].backward(gradient)

                def report(who, timed):
                    median, spread = timed
                    print(f"{cell},{format},{hidden},64,1 layer,full,training,{who},"
                          f"{1000 * median / STEPS:.3f},{1000 * spread / STEPS:.3f},{median:.4f}", flush=True)

                report("pytorch eager", time_calls(training, seconds))
                try:
                    stream = torch.cuda.Stream()
                    stream.wait_stream(torch.cuda.current_stream())
                    with torch.cuda.stream(stream):
                        for _ in range(3):
                            training()
                    torch.cuda.current_stream().wait_stream(stream)
                    graph = torch.cuda.CUDAGraph()
                    with torch.cuda.graph(graph):
                        training()
                    report("pytorch graph", time_calls(graph.replay, seconds))
                except RuntimeError as failure:
                    print(f"pytorch graph {cell} {format} {hidden}: {failure}", file=sys.stderr)


if sys.argv[1] == "lesson":
    lesson(sys.argv[2], float(sys.argv[3]))
else:
    recurrent(float(sys.argv[2]))
