"""What the scripts here share: the environment of a measurement, Google Benchmark's JSON, medians, spreads, tables."""
import math
import os
import statistics


def environment():
    """This process's, less what makes OpenBLAS slower than it would be by itself: the peak is to be a real one."""
    return {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


class Benchmark:
    """All repetitions of one benchmark."""

    def __init__(self):
        self.seconds, self.per_token, self.share, self.peak, self.gflops, self.error = [], [], [], [], [], None

    def add(self, row):
        if row.get("error_occurred"):
            self.error = row["error_message"]
            return
        clock = "real_time" if row["name"].endswith("/real_time") else "cpu_time"
        seconds = row[clock] * units[row["time_unit"]]
        self.seconds.append(seconds)
        # Batches differ from repetition to repetition: what is compared is the time per token.
        self.per_token.append(1 / row["tokens/s"] if row.get("tokens/s") else seconds)
        if "GFLOP/s" in row:
            self.gflops.append(row["GFLOP/s"])
        if "share of peak" in row:
            self.share.append(row["share of peak"])
            self.peak.append(row["GFLOP/s"] / row["share of peak"])


def benchmarks(data):
    found = {}
    for row in data["benchmarks"]:
        found.setdefault(row.get("run_name", row["name"]), Benchmark()).add(row)
    return found


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def spread(values):
    """The distance between the quartiles, as a part of the median."""
    low, high = quartiles(values)
    return (high - low) / statistics.median(values)


def readable_time(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def readable_count(count):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count:.4g}"


def print_columns(rows):
    """The first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(row, widths))).rstrip())


def print_table(data):
    context = data["context"]
    print(", ".join(f"{key}: {context[key]}" for key in
                    ("date", "num_cpus", "instruction_set", "compiler", "data", "openblas_kernels", "openblas")
                    if key in context and not (key == "openblas" and "openblas_kernels" in context)))
    rows = [("benchmark", "median", "spread", "tokens/s", "GFLOP/s", "peak", "share")]
    for name, one in benchmarks(data).items():
        if not one.seconds:
            rows.append((name, "skipped: " + str(one.error), "", "", "", "", ""))
            continue
        median = statistics.median(one.seconds)
        per_token = statistics.median(one.per_token)
        tokens = readable_count(1 / per_token) if one.per_token != one.seconds else ""
        numbers = (f"{statistics.median(values) * scale:.1f}{unit}" if values else ""
                   for values, scale, unit in ((one.gflops, 1, ""), (one.peak, 1, ""), (one.share, 100, " %")))
        rows.append((name, readable_time(median), f"{100 * spread(one.per_token):.1f} %", tokens, *numbers))
    print_columns(rows)


def noise_of_median(values):
    """The standard error of the median, by the distance between the quartiles."""
    low, high = quartiles(values)
    return 1.2533 * (high - low) / 1.349 / math.sqrt(len(values))


def speed_up(before, after, least=0.02):
    """before, after: costs. The ratio of the medians, or 1 unless they differ by three standard errors and `least`."""
    first, second = statistics.median(before), statistics.median(after)
    noise = math.hypot(noise_of_median(before), noise_of_median(after))
    return 1.0 if abs(second - first) <= max(3 * noise, least * first) else first / second


def verdict(before, after):
    """A difference must show in the times, and, where the peak was measured, in the times as shares of it."""
    if min(len(before.seconds), len(after.seconds)) < 3:
        return "too few repetitions"
    ratio = speed_up(before.per_token, after.per_token)
    if before.share and after.share:
        of_peak = speed_up([1 / share for share in before.share], [1 / share for share in after.share])
        ratio = 1.0 if (ratio - 1) * (of_peak - 1) <= 0 else min(ratio, of_peak, key=lambda one: abs(math.log(one)))
    if ratio == 1:
        return "no difference"
    return f"{ratio:.2f} x faster" if ratio > 1 else f"{1 / ratio:.2f} x slower"


def print_comparison(before, after):
    first, second = benchmarks(before), benchmarks(after)
    rows = [("benchmark", "before", "after", "spreads", "peak's drift", "verdict")]
    for name in first:
        if name not in second or not first[name].seconds or not second[name].seconds:
            continue
        one, two = first[name], second[name]
        drift = statistics.median(two.peak) / statistics.median(one.peak) if one.peak and two.peak else 1.0
        rows.append((name, readable_time(statistics.median(one.seconds)), readable_time(statistics.median(two.seconds)),
                     f"{100 * spread(one.per_token):.0f} %, {100 * spread(two.per_token):.0f} %",
                     f"{100 * (drift - 1):+.0f} %" if one.peak and two.peak else "", verdict(one, two)))
    if len(rows) == 1:
        print("no benchmark is in both")
        return
    print_columns(rows)
    for name in sorted(first.keys() ^ second.keys()):
        print(f"only {'before' if name in first else 'after'}: {name}")
