"""The definitions of the correlation in plain loops: slow, obvious, and free of bitbox.

What the engine returns is compared with this. Data are nested sequences or arrays indexed
``data[frame][signal][coordinate]``; NaN is missing. Sums are exact (`math.fsum`).
"""

import math

# A signal is still where its range is within this many units of rounding of its magnitude.
STILL = 64 * 2.0**-52
NAN = float("nan")


def pearson(x, y, min_valid=0.8):
    """Correlation of two windows, each a list of frames, each frame a list of coordinates."""
    width = len(x)
    pairs = [
        (a, b)
        for a, b in zip(x, y, strict=True)
        if not any(math.isnan(v) for v in a) and not any(math.isnan(v) for v in b)
    ]
    if len(pairs) < max(3, min_valid * width - 1e-9):
        return NAN
    first = centred([a for a, _ in pairs])
    second = centred([b for _, b in pairs])
    if first is None or second is None:
        return NAN
    product = math.fsum(p * q for p, q in zip(first, second, strict=True))
    norm = math.sqrt(math.fsum(p * p for p in first) * math.fsum(q * q for q in second))
    return max(-1.0, min(1.0, product / norm))


def centred(frames):
    """All coordinates less their means, one after the other and scaled; None for a still one."""
    coordinates = list(zip(*frames, strict=True))
    spread = max(max(c) - min(c) for c in coordinates)
    if spread <= STILL * max(abs(v) for c in coordinates for v in c):
        return None
    out = []
    for c in coordinates:
        moved = [(v - c[0]) / spread for v in c]
        mean = math.fsum(moved) / len(moved)
        out += [v - mean for v in moved]
    return out


def window(data, signal, start, width):
    return [[float(v) for v in data[t][signal]] for t in range(start, start + width)]


def starts(n_frames, width, step, max_lag, two_sided):
    last = n_frames - width - (max_lag if two_sided else 0)
    return list(range(max_lag, last + 1, step))


def shifts(max_lag, mode, causal):
    """All (shift of x, shift of y) that a window is tried with."""
    both = range(-max_lag, max_lag + 1)
    if mode == "coordination":
        return [(a, b) for a in both for b in both]
    return [(0, b) for b in (range(-max_lag, 1) if causal else both)]


def better(r, lag, best, best_lag, polarity):
    """Whether (r, lag) is chosen before (best, best_lag)."""
    if math.isnan(r):
        return False
    if math.isnan(best):
        return True
    new, old = (abs(r), abs(best)) if polarity else (r, best)
    if new != old:
        return new > old
    return (abs(lag), lag, -r) < (abs(best_lag), best_lag, -best)


def choose(x, y, i, j, s, width, max_lag, mode="imitation", causal=True, polarity=True,
           min_valid=0.8):  # fmt: skip
    """The chosen correlation and its lag in frames, of one pair in one window."""
    best, best_lag = NAN, NAN
    for a, b in shifts(max_lag, mode, causal):
        r = pearson(window(x, i, s + a, width), window(y, j, s + b, width), min_valid)
        if better(r, b - a, best, best_lag, polarity):
            best, best_lag = r, b - a
    return best, best_lag


def at_lag(x, y, i, j, s, width, max_lag, lag, mode="imitation", min_valid=0.8):
    """All correlations of one pair in one window at one net lag."""
    return [
        pearson(window(x, i, s + a, width), window(y, j, s + b, width), min_valid)
        for a, b in shifts(max_lag, mode, False)
        if b - a == lag
    ]


def correlate(x, y, width, step, max_lag, mode="imitation", causal=True, polarity=True,
              min_valid=0.8):  # fmt: skip
    """values[window][i][j] and lags[window][i][j] (frames)."""
    two_sided = mode == "coordination" or not causal
    values, lags = [], []
    for s in starts(len(x), width, step, max_lag, two_sided):
        chosen = [
            [
                choose(x, y, i, j, s, width, max_lag, mode, causal, polarity, min_valid)
                for j in range(len(y[0]))
            ]
            for i in range(len(x[0]))
        ]
        values.append([[r for r, _ in row] for row in chosen])
        lags.append([[lag for _, lag in row] for row in chosen])
    return values, lags


def statistics(values):
    """Mean, standard deviation (ddof 0) and number of the defined values of a list."""
    good = [v for v in values if not math.isnan(v)]
    if not good:
        return NAN, NAN, 0
    mean = math.fsum(good) / len(good)
    return mean, math.sqrt(math.fsum((v - mean) ** 2 for v in good) / len(good)), len(good)
