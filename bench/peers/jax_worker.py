"""JAX's side: one jitted function per step, the recurrence a lax.scan, dense Adam. Padded, the length rounded up to a
multiple of 16 so that few shapes are compiled; compiling is not timed."""
import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np

from batches import File, serve

file = File(sys.argv[1])


def lstm(gates, u, state):
    h, c = state
    i, f, g, o = jnp.split(gates + h @ u["w"].T + u["b"], 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(gates, u, state):
    (h,) = state
    x_r, x_z, x_n = jnp.split(gates, 3, axis=1)
    h_r, h_z, h_n = jnp.split(h @ u["w"].T + u["b"], 3, axis=1)
    z = jax.nn.sigmoid(x_z + h_z)
    return ((1 - z) * jnp.tanh(x_n + jax.nn.sigmoid(x_r + h_r) * h_n) + z * h,)


def elman(gates, u, state):
    return (jnp.tanh(gates + state[0] @ u["w"].T + u["b"]),)


def recurrence(cell, parameters, suffix, x, mask):
    """x: [time, batch, features], mask: [time, batch, 1]. All outputs and the last state."""
    gates = x @ parameters[f"rnn.weight_ih{suffix}"].T + parameters[f"rnn.bias_ih{suffix}"]  # of all steps at once
    u = {"w": parameters[f"rnn.weight_hh{suffix}"], "b": parameters[f"rnn.bias_hh{suffix}"]}
    zeros = jnp.zeros((x.shape[1], u["w"].shape[1]))

    def step(state, now):
        gates, keep = now
        state = tuple(jnp.where(keep, new, old) for new, old in zip(cell(gates, u, state), state))
        return state, state[0]

    state, outputs = jax.lax.scan(step, (zeros, zeros) if cell is lstm else (zeros,), (gates, mask),
                                  reverse=suffix.endswith("reverse"))
    return outputs, state[0]


def logits(case, parameters, x, lengths):
    cell = {"elman": elman, "gru": gru}.get(case.split("_")[1], lstm)
    x = x.swapaxes(0, 1)
    if not case.startswith("wide"):
        x = parameters["embedding.weight"][x]
    mask = jnp.arange(x.shape[0])[:, None, None] < lengths[None, :, None]
    for depth in range(2 if case.startswith("wide") else 1):
        suffixes = (f"_l{depth}", f"_l{depth}_reverse") if case.startswith("wide") else (f"_l{depth}",)
        outputs, last = zip(*(recurrence(cell, parameters, suffix, x, mask) for suffix in suffixes))
        x, h = jnp.concatenate(outputs, 2), jnp.concatenate(last, 1)
    return h @ parameters["fc.weight"].T + parameters["fc.bias"]


def loss(parameters, case, x, lengths, topics):
    scores = jax.nn.log_softmax(logits(case, parameters, x, lengths))
    return -scores[jnp.arange(len(topics)), topics].mean()


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2, 3))
def train(case, parameters, m, v, t, x, lengths, topics):
    value, gradient = jax.value_and_grad(loss)(parameters, case, x, lengths, topics)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    correction1, correction2 = 1 - 0.9 ** t, 1 - 0.999 ** t
    parameters = jax.tree.map(
        lambda p, m, v: p - 1e-3 / correction1 * m / (jnp.sqrt(v / correction2) + 1e-8), parameters, m, v)
    return value, parameters, m, v


@functools.partial(jax.jit, static_argnums=0)
def infer(case, parameters, x, lengths):
    return logits(case, parameters, x, lengths).sum()


def rounded(padded):
    time = padded.shape[1]
    extra = [(0, 0), (0, -time % 16)] + [(0, 0)] * (padded.ndim - 2)
    return jnp.asarray(np.pad(padded, extra).astype(np.int32 if padded.ndim == 2 else np.float32))


def make(case, variant, threads):
    del variant, threads  # the threads are chosen by `run`, in the environment
    batches = file.batches(case)
    parameters = {name: jnp.array(values) for name, values in file.parameters(case).items()}
    inputs = [(rounded(padded), jnp.asarray(lengths.astype(np.int32)), jnp.asarray(topics.astype(np.int32)))
              for padded, lengths, topics in zip(batches.padded, batches.lengths, batches.topics)]
    shapes = {x.shape: place for place, (x, _, _) in enumerate(inputs)}

    if case.endswith("inference"):
        for place in shapes.values():
            infer(case, parameters, *inputs[place][:2]).block_until_ready()
        return lambda batch: infer(case, parameters, *inputs[batch % len(inputs)][:2])

    state = {}

    def start():
        # Copies: train() takes the memory of what it is given.
        state["now"] = [jax.tree.map(jnp.copy, parameters), *(jax.tree.map(jnp.zeros_like, parameters) for _ in "mv")]
        state["t"] = 0

    def step(batch):
        state["t"] += 1
        value, *state["now"] = train(case, *state["now"], float(state["t"]), *inputs[batch % len(inputs)])
        return value.block_until_ready()

    start()
    for place in shapes.values():
        step(place)
    start()
    return step


def main():
    trained = ("lesson_elman", "lesson_gru", "lesson_lstm", "wide_bilstm")
    cases = {name: ["padded, jitted scan, Adam"] for name in trained}
    cases["lesson_lstm_inference"] = ["padded, jitted scan, inference"]
    serve(f"JAX {jax.__version__}", cases, make)


main()
