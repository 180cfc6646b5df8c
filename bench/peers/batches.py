"""What the workers in Python share: the file that bench_peers wrote, and the lines they exchange with `run`."""
import json
import sys
import time

import numpy as np


class Batches:
    """One of the two sets of batches, padded as [batch, time, features] (or token ids as [batch, time])."""

    def __init__(self, tensors, name):
        self.lengths = tensors[f"{name}.lengths"].astype(np.int64)
        self.topics = tensors[f"{name}.topics"].astype(np.int64)
        rows, self.padded, at = tensors[f"{name}.rows"], [], 0
        for lengths in self.lengths:
            padded = np.zeros((len(lengths), lengths.max(), rows.shape[1]), rows.dtype)
            for i, length in enumerate(lengths):
                padded[i, :length] = rows[at:at + length]
                at += length
            self.padded.append(padded[..., 0].astype(np.int64) if name == "lesson" else padded)


def read_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "I32": np.int32}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(bytearray(data[begin:end]), types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


class File:
    def __init__(self, path):
        self.tensors = read_tensors(path)
        self.sets = {}

    def batches(self, case):
        name = "wide" if case.startswith("wide") else "lesson"
        if name not in self.sets:
            self.sets[name] = Batches(self.tensors, name)
        return self.sets[name]

    def parameters(self, case):
        return {name.removeprefix(f"{case}/"): values for name, values in self.tensors.items()
                if name.startswith(f"{case}/")}


def serve(name, cases, make):
    """Says what this worker can do, then answers. make(case, variant, threads) -> run(batch number) -> loss."""
    print(json.dumps({"name": name, "cases": cases}), flush=True)
    made = {}
    for line in sys.stdin:
        question = json.loads(line)
        key = question["case"], question["variant"], question["threads"]
        if key not in made:
            made[key] = make(*key)
        seconds, values = [], []
        started = time.process_time()
        for batch in range(question["first"], question["first"] + question["count"]):
            start = time.perf_counter()
            values.append(float(made[key](batch)))
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"seconds": seconds, "values": values, "processor": time.process_time() - started}),
              flush=True)
