"""PyTorch's side: packed or padded batches, SparseAdam or dense Adam in each of its implementations.

    torch_worker.py FILE [--flush-denormal]
"""
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from batches import File, serve

file = File(sys.argv[1])


class Network(nn.Module):
    def __init__(self, case, layout, sparse):
        super().__init__()
        parameters = file.parameters(case)
        self.layout, self.wide = layout, case.startswith("wide")
        if not self.wide:
            words, width = parameters["embedding.weight"].shape
            self.embedding = nn.Embedding(words, width, sparse=sparse)
        kind = {"elman": nn.RNN, "gru": nn.GRU}.get(case.split("_")[1], nn.LSTM)
        features, hidden = (256, 256) if self.wide else (64, 32)
        depth = dict(num_layers=2, bidirectional=True) if self.wide else {}
        self.rnn = kind(features, hidden, batch_first=True, **depth)
        self.fc = nn.Linear(2 * hidden if self.wide else hidden, 4)
        self.load_state_dict({name: torch.from_numpy(values) for name, values in parameters.items()})

    def forward(self, x, lengths):
        if not self.wide:
            x = self.embedding(x)
        if self.layout == "packed":
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, h = self.rnn(x)
        h = h[0] if isinstance(h, tuple) else h
        if self.wide:
            return self.fc(torch.cat((h[-2], h[-1]), 1))
        return self.fc(h[-1] if self.layout == "packed" else output[torch.arange(len(lengths)), lengths - 1])


def adam(parameters, kind):
    extra = {} if kind == "Adam" else {kind.removeprefix("Adam "): True}
    return torch.optim.Adam(parameters, lr=1e-3, **extra)


def implementations():
    """Those of dense Adam that this PyTorch has on the CPU, fastest first where they are there."""
    found = []
    for kind in ("Adam fused", "Adam foreach", "Adam"):
        weight = nn.Parameter(torch.zeros(2))
        weight.grad = torch.ones(2)
        try:
            adam([weight], kind).step()
            found.append(kind)
        except (TypeError, RuntimeError, ValueError):
            pass
    return found


def make(case, variant, threads):
    layout, optimizer = variant.split(", ")
    torch.set_num_threads(threads)
    network = Network(case, layout, sparse=optimizer == "SparseAdam")
    batches = file.batches(case)
    inputs = [(torch.from_numpy(padded), torch.from_numpy(lengths), torch.from_numpy(topics))
              for padded, lengths, topics in zip(batches.padded, batches.lengths, batches.topics)]
    loss_function = nn.CrossEntropyLoss()

    if optimizer == "inference":
        network.eval()

        def infer(batch):
            torch.set_num_threads(threads)
            x, lengths, _ = inputs[batch % len(inputs)]
            with torch.inference_mode():
                return network(x, lengths).sum()
        return infer

    if optimizer == "SparseAdam":
        table = network.embedding.weight
        optimizers = [torch.optim.SparseAdam([table], lr=1e-3),
                      adam([p for p in network.parameters() if p is not table], implementations()[0])]
    else:
        optimizers = [adam(network.parameters(), optimizer)]

    def train(batch):
        torch.set_num_threads(threads)
        x, lengths, topics = inputs[batch % len(inputs)]
        for one in optimizers:
            one.zero_grad()
        loss = loss_function(network(x, lengths), topics)
        loss.backward()
        for one in optimizers:
            one.step()
        return loss.detach()
    return train


def main():
    torch.set_num_interop_threads(1)
    name = f"PyTorch {torch.__version__}"
    if "--flush-denormal" in sys.argv[2:]:
        if not torch.set_flush_denormal(True):  # of this thread and of those that it starts
            sys.exit("torch_worker.py: this processor or PyTorch cannot flush denormal numbers")
        name += ", denormal numbers flushed"
    layouts, dense = ("packed", "padded"), implementations()
    training = [f"{layout}, {optimizer}" for layout in layouts for optimizer in ("SparseAdam", *dense)]
    cases = {f"lesson_{cell}": training for cell in ("elman", "gru", "lstm")}
    cases["lesson_lstm_inference"] = [f"{layout}, inference" for layout in layouts]
    cases["wide_bilstm"] = [f"{layout}, {dense[0]}" for layout in layouts]
    serve(name, cases, make)


main()
