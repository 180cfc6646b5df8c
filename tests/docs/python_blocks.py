"""The Python of a document: its ```python blocks.

    python_blocks.py check DOCUMENT              each compiles
    python_blocks.py run DOCUMENT [PROGRAM]      they run, one after the other, in a folder that holds what they read, and
                                                 leave what they should; PROGRAM is made of the document's C++

Exits with 77 if running needs a package that is not installed. Where the safetensors package is missing, the functions of
tests/model/pytorch_round_trip.py stand for it.
"""

import os
import re
import subprocess
import sys
import tempfile
import types
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def blocks_of(document):
    """Compiled, with the document's own line numbers."""
    text = document.read_text()
    found = [compile("\n" * text.count("\n", 0, match.start(1)) + match[1], document.name, "exec")
             for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    assert len(found) == len(re.findall("^```python", text, re.MULTILINE)) > 0, "a block is not closed, or none is there"
    return found


def safetensors_functions():
    """load_file and save_file of tensors, which `import safetensors` finds afterwards, installed or not."""
    sys.path.insert(0, str(TESTS / "model"))
    import pytorch_round_trip as ours  # exits with 77 without PyTorch or NumPy

    try:
        import safetensors.numpy  # noqa: F401
    except ImportError:
        def save_arrays(arrays, path):
            ours.save_file({name: ours.torch.from_numpy(array) for name, array in arrays.items()}, path)

        for name, functions in {"safetensors": {}, "safetensors.numpy": {"save_file": save_arrays},
                                "safetensors.torch": {"load_file": ours.load_file, "save_file": ours.save_file}}.items():
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(functions)
    return ours.load_file, ours.save_file


def same(actual, expected):
    assert actual.keys() == expected.keys(), (actual.keys(), expected.keys())
    for name, value in expected.items():
        assert actual[name].shape == value.shape and (actual[name] == value).all(), name


def from_pytorch(blocks, program):
    load_file, _ = safetensors_functions()
    subprocess.run([program], check=True, stdout=subprocess.DEVNULL)  # saves news.safetensors
    ours = load_file("news.safetensors")
    (block,) = blocks
    scope = {}
    exec(block, scope)
    same(scope["net"].state_dict(), ours)
    same(load_file("news.safetensors"), ours)


def interchange(blocks, program):
    load_file, save_file = safetensors_functions()
    import torch
    from torch import nn

    class Net(nn.Module):  # as the document says beside its C++
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn, self.fc = nn.Embedding(20, 8), nn.LSTM(8, 6, bidirectional=True), nn.Linear(12, 4)

    of_pytorch, keras = blocks
    theirs, ours = Net().state_dict(), Net().state_dict()
    torch.save(theirs, "weights.pt")
    save_file(ours, "from_sequent.safetensors")
    scope = {"Net": Net}
    exec(of_pytorch, scope)
    same(load_file("weights.safetensors"), theirs)
    same(scope["net"].state_dict(), ours)

    class Layer:  # of Keras, as far as the document asks
        units = 4

        def __init__(self, *weights):
            self.weights = weights

        def get_weights(self):
            return [weight.numpy() for weight in self.weights]

    for cell in ("lstm", "gru"):
        golden = load_file(TESTS / f"fixtures/gate_orders_{cell}.safetensors")
        table = torch.randn(20, 3)
        layers = [Layer(table), Layer(*(golden[f"keras/{part}"] for part in ("kernel", "recurrent_kernel", "bias"))),
                  Layer(golden["dense/weight"].T, golden["dense/bias"])]
        exec(keras, {"net": types.SimpleNamespace(layers=layers)})
        written = load_file("weights.safetensors")
        expected = {f"rnn.{name.removeprefix('pytorch/')}": value for name, value in golden.items()
                    if name.startswith("pytorch/")}
        if cell == "lstm":  # Keras keeps the sum of the biases
            expected["rnn.bias_ih_l0"] = expected["rnn.bias_ih_l0"] + expected["rnn.bias_hh_l0"]
            expected["rnn.bias_hh_l0"] = torch.zeros_like(expected["rnn.bias_hh_l0"])
        same(written, {"embedding.weight": table, **expected, "fc.weight": golden["dense/weight"],
                       "fc.bias": golden["dense/bias"]})


if __name__ == "__main__":
    document = Path(sys.argv[2]).resolve()
    code = blocks_of(document)
    if sys.argv[1] == "run":
        program = Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            {"from_pytorch": from_pytorch, "interchange": interchange}[document.stem](code, program)
    print(f"{len(code)} blocks")
