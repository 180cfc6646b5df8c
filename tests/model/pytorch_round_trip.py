"""The PyTorch side of the test of checkpoints in tests/model/checkpoint.cpp.

    pytorch_round_trip.py make NETWORK FOLDER     a network's state_dict in weights.safetensors, and in
                                                  expected.safetensors a batch and what the network makes of it
    pytorch_round_trip.py check NETWORK FOLDER    loads saved.safetensors, strictly, and compares what it makes of the
                                                  same batch with the logits in saved_logits.safetensors

NETWORK is LSTM, GRU or RNN, of one layer, or deep_LSTM, of two in both directions.
Exits with 77 if PyTorch or NumPy is not installed. Uses the safetensors package if it is there, else its own reader
and writer of these few types.
"""

import json
import struct
import sys
from pathlib import Path

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as missing:
    print(missing)
    sys.exit(77)

try:
    from safetensors.torch import load_file, save_file
except ImportError:
    TYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64}

    def load_file(path):
        data = Path(path).read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        assert header.pop("__metadata__", {"format": "pt"})["format"] == "pt"
        tensors = {}
        for name, entry in header.items():
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            array = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
            tensors[name] = torch.from_numpy(array.copy())
        return tensors

    def save_file(tensors, path):
        header, data = {}, b""
        for name, tensor in tensors.items():
            array = tensor.detach().contiguous().numpy()
            dtype = next(key for key, value in TYPES.items() if array.dtype == value)
            header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
            data += array.tobytes()
        text = json.dumps(header).encode()
        Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Net(nn.Module):
    def __init__(self, name):
        super().__init__()
        deep = name.startswith("deep_")
        self.directions = 2 if deep else 1
        self.embedding = nn.Embedding(20, 8, padding_idx=1)
        self.rnn = getattr(nn, name.removeprefix("deep_"))(8, 6, num_layers=self.directions, bidirectional=deep,
                                                           batch_first=True)
        self.fc = nn.Linear(6 * self.directions, 4)

    def forward(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        _, states = self.rnn(packed)
        hidden = states[0] if isinstance(states, tuple) else states
        return self.fc(torch.cat(tuple(hidden[-self.directions :]), 1))


def make(net, folder):
    ids, lengths = torch.randint(2, 20, (5, 7)), torch.tensor([3, 7, 1, 4, 7])
    save_file(net.state_dict(), folder / "weights.safetensors")
    save_file({"ids": ids, "lengths": lengths, "logits": net(ids, lengths).detach()}, folder / "expected.safetensors")


def check(net, folder):
    net.load_state_dict(load_file(folder / "saved.safetensors"), strict=True)
    expected = load_file(folder / "expected.safetensors")
    with torch.no_grad():
        logits = net(expected["ids"], expected["lengths"])
    difference = (logits - load_file(folder / "saved_logits.safetensors")["logits"]).abs().max().item()
    print(f"largest difference {difference}")
    assert difference < 1e-6


if __name__ == "__main__":
    torch.manual_seed(1)
    {"make": make, "check": check}[sys.argv[1]](Net(sys.argv[2]), Path(sys.argv[3]))
