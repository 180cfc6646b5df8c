"""ONNX Runtime's side: inference alone, on padded batches with the lengths given to the LSTM node."""
import struct
import sys

import numpy as np
import onnxruntime

from batches import File, serve

file = File(sys.argv[1])


# The few messages of onnx.proto that are needed, in protobuf's wire format: no package `onnx` is asked for.
def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, values):
    kind = {np.dtype(np.float32): 1, np.dtype(np.int32): 6, np.dtype(np.int64): 7}[values.dtype]
    shape = b"".join(field(1, size) for size in values.shape)
    return field(5, shape + field(2, kind) + field(8, name) + field(9, values.tobytes()))


def attribute(name, value):
    if isinstance(value, list):
        return field(5, field(1, name) + b"".join(field(8, one) for one in value) + field(20, 7))
    if isinstance(value, float):
        return field(5, field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1))
    return field(5, field(1, name) + field(3, value) + field(20, 2))


def node(kind, inputs, outputs, **attributes):
    names = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    return field(1, names + field(4, kind) + b"".join(attribute(*one) for one in attributes.items()))


def value(number, name, kind, shape):
    dimensions = b"".join(field(1, field(2, size) if isinstance(size, str) else field(1, size)) for size in shape)
    return field(number, field(1, name) + field(2, field(1, field(1, kind) + field(2, dimensions))))


def network(parameters):
    """Token ids [time, batch] and lengths [batch] -> logits [batch, 4]."""
    def reorder(values):  # PyTorch's i f g o -> ONNX's i o f c, with a leading direction
        i, f, g, o = np.split(values, 4)
        return np.ascontiguousarray(np.concatenate((i, o, f, g))[None])
    weight_hh = reorder(parameters["rnn.weight_hh_l0"])
    biases = np.concatenate((reorder(parameters["rnn.bias_ih_l0"]), reorder(parameters["rnn.bias_hh_l0"])), 1)
    graph = b"".join((
        node("Gather", ["table", "ids"], ["x"]),
        node("LSTM", ["x", "w", "r", "b", "lengths"], ["", "h"], hidden_size=weight_hh.shape[2]),
        node("Squeeze", ["h"], ["last"], axes=[0]),
        node("Gemm", ["last", "fc", "fc_bias"], ["logits"], transB=1),
        field(2, "lesson"),
        tensor("table", parameters["embedding.weight"]), tensor("w", reorder(parameters["rnn.weight_ih_l0"])),
        tensor("r", weight_hh), tensor("b", biases),
        tensor("fc", parameters["fc.weight"]), tensor("fc_bias", parameters["fc.bias"]),
        value(11, "ids", 7, ["time", "batch"]), value(11, "lengths", 6, ["batch"]),
        value(12, "logits", 1, ["batch", 4])))
    return field(1, 7) + field(7, graph) + field(8, field(2, 12))  # version 7 of the format, operators of version 12


def make(case, variant, threads):
    del variant
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network(file.parameters(case)), options, providers=["CPUExecutionProvider"])
    batches = file.batches(case)
    inputs = [{"ids": np.ascontiguousarray(padded.T), "lengths": lengths.astype(np.int32)}
              for padded, lengths in zip(batches.padded, batches.lengths)]
    return lambda batch: session.run(None, inputs[batch % len(inputs)])[0].sum()


serve(f"ONNX Runtime {onnxruntime.__version__}", {"lesson_lstm_inference": ["padded, inference"]}, make)
