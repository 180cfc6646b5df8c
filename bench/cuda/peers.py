"""PyTorch on a GPU: the lesson's training step, and nn.LSTM and nn.GRU layers, eager and as CUDA graphs.

    peers.py lesson FILE SECONDS     CSV as lesson.cu prints it
    peers.py recurrent SECONDS       CSV as recurrent.cu prints it
"""
import itertools
import statistics
import sys
import time

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence

device = torch.device("cuda")
STEPS, BATCH = 512, 64


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


def lesson_step(name, batches, seconds):
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


def lesson(path, seconds):
    batches = []
    for line in open(path):
        sequences = [torch.tensor([int(word) for word in one.split()]) for one in line.strip().split(";")]
        lengths = torch.tensor([len(one) for one in sequences])
        batches.append((pad_sequence(sequences, batch_first=True), lengths, lengths % 4))
    return [attempt(name, lesson_step, name, batches, seconds)
            for name in ("sparse_adam", "adam fused", "adam foreach")]


def attempt(what, work, *arguments):
    """Whether work(*arguments) went through; what does not is told, and the others still have their turn."""
    try:
        work(*arguments)
        return True
    except RuntimeError as failure:
        print(f"{what}: {str(failure).splitlines()[0]}", file=sys.stderr, flush=True)
        return False


def time_calls(calls, seconds):
    """Median, spread and the median of a second series, in milliseconds; the better series comes first. As time_work of
    timing.hpp: calls, one for each set of inputs, are taken in turn."""
    begun = time.monotonic()
    for warm in range(10):
        if warm >= len(calls) and time.monotonic() - begun > seconds:
            break
        calls[warm % len(calls)]()
        torch.cuda.synchronize()
    turns = itertools.cycle(calls)

    def run(replays):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(replays):
            next(turns)()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / replays

    one = max(run(len(calls)), 1e-4)
    fewest = min(max(int(1000 * seconds / (5 * one)), 1), 20)
    replays = min(max(int(1000 * seconds / (30 * one)), fewest), 200)
    series = []
    for _ in range(2):
        times, spent = [], 0.0
        while len(times) < 3 or (spent < seconds and len(times) < 30):
            times.append(run(replays))
            spent += times[-1] * replays / 1000
        series.append(quartiles(times))
    series.sort()
    return *series[0], series[1][0]


def capture(call):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph


def layer(cell, format, hidden, lengths, seconds):
    dtype = torch.bfloat16 if format == "bf16" else torch.float32
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](hidden, hidden).to(device, dtype)
    ends = [STEPS - 3 * STEPS // 4 * i // (BATCH - 1) for i in range(BATCH)]  # as in recurrent.cu
    sizes = torch.tensor([sum(step < end for end in ends) for step in range(STEPS)])
    shape = (STEPS, BATCH, hidden) if lengths == "full" else (sum(ends), hidden)

    def training_on(x, gradient):
        given = x if lengths == "full" else PackedSequence(x, sizes)

        def training():
            y = module(given)[0]
            torch.autograd.grad(y if lengths == "full" else y.data, [x, *module.parameters()], gradient)
        return training

    sets = [training_on(torch.randn(shape, device=device, dtype=dtype, requires_grad=True),
                        torch.randn(shape, device=device, dtype=dtype)) for _ in range(4)]

    def report(who, timed):
        median, spread, again = timed
        per_step = ",".join(f"{1000 * ms / STEPS:.3f}" for ms in (median, spread, again))
        print(f"{cell},{format},{hidden},{BATCH},1 layer,{lengths},training,{who},{per_step},{median:.4f}", flush=True)

    report("pytorch eager", time_calls(sets, seconds))
    attempt(f"pytorch graph {cell} {format} {hidden} {lengths}",
            lambda: report("pytorch graph", time_calls([capture(one).replay for one in sets], seconds)))


def recurrent(seconds):
    print("cell,format,hidden,batch,shape,lengths,what,who,us_per_step,iqr_us,again_us,ms", flush=True)
    return [attempt(f"pytorch {cell} {format} {hidden} {lengths}", layer, cell, format, hidden, lengths, seconds)
            for lengths in ("packed", "full") for cell in ("lstm", "gru") for format in ("bf16", "f32x3")
            for hidden in (32, 64, 128, 256, 512)]


if sys.argv[1] == "lesson":
    sys.exit(not all(lesson(sys.argv[2], float(sys.argv[3]))))
sys.exit(not all(recurrent(float(sys.argv[2]))))
