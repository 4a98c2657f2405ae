"""Chapter 4: functions of real numbers and tables, with the same bits on every machine.

NumPy does each of + - * / sqrt as one correctly rounded operation, so the functions work on arrays element by element.
"""

import hashlib

import numpy as np

LOG2_E = float.fromhex("0x1.71547652b82fep+0")
LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")


def exp(x: np.ndarray) -> np.ndarray:
    """Compute e^x (section 4.1)."""
    x = np.asarray(x, np.float64)
    n = np.floor(x * LOG2_E + 0.5)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    total = np.ones_like(r)
    for k in range(13, 0, -1):
        total = (total * r) * (1.0 / k) + 1.0
    return total * np.ldexp(1.0, np.clip(n, -1022, 1023).astype(np.int32))


def sigma(x: np.ndarray) -> np.ndarray:
    """Compute the sigmoid (section 4.2)."""
    return 1.0 / (1.0 + exp(-x))


def _normal_cdf() -> np.ndarray:
    """Integrate the density of the normal distribution (section 4.3.2)."""
    t = np.arange(16385) / 1024.0 - 8.0
    density = exp((-0.5 * t) * t)
    mass = ((density[:-1:2] + 4.0 * density[1::2]) + density[2::2]) * ((1.0 / 512.0) / 6.0)
    units = np.floor(mass * 2.0**52).astype(np.int64)
    cumulative = np.concatenate([[0], np.cumsum(units)])
    table = np.trunc((cumulative[::8].astype(np.float64) / float(cumulative[8192])) * 2.0**30).astype(np.int64)
    table[0], table[1024] = 0, 1 << 30
    return table


def _quantiles(normal_cdf: np.ndarray) -> np.ndarray:
    """Invert the normal distribution function at the middles of 4096 equal parts (section 4.4)."""
    target = (2 * np.arange(4096) + 1) << 17
    left = np.searchsorted(normal_cdf, target, side="right") - 1
    below, above = normal_cdf[left], normal_cdf[left + 1]
    fraction = (target - below).astype(np.float64) / (above - below).astype(np.float64)
    return (left.astype(np.float64) + fraction) / 64.0 - 8.0


def _rounded(x: np.ndarray) -> np.ndarray:
    """Round to the nearest integer, halves up."""
    return np.floor(x + 0.5).astype(np.int64)


# A table whose index begins at a negative number i is indexed with i - first.
SCALES = np.arange(-96, 177)
LOGISTIC_CDF = _rounded(sigma((np.arange(2817) - 1408) / 64.0) * 2.0**30)
LOGISTIC_CDF[0], LOGISTIC_CDF[2816] = 0, 1 << 30
NORMAL_CDF = _normal_cdf()
LOGISTIC_RECIPROCAL = _rounded(exp(-(SCALES / 32.0)) * 2.0**28)
NORMAL_RECIPROCAL = _rounded(exp(-(np.arange(-320, 65) / 64.0)) * 2.0**20)
POWERS = _rounded(exp(-(np.arange(1281) / 32.0)) * 2.0**30)
BERNOULLI_ZERO = 1 + _rounded(sigma(-(np.arange(-4095, 4096) / 256.0)) * 1048574.0)

QUANTILES = _quantiles(NORMAL_CDF)
SIGMOID = sigma(np.arange(-1408, 1409) / 64.0)
SCALE_RECIPROCAL = exp(-(SCALES / 32.0))
_r = SCALE_RECIPROCAL
INTERIOR = np.where(_r < 0.01, (_r - (0.5 * _r) * _r) + ((_r * _r) * _r) / 6.0, 1.0 - exp(-_r))
INNER = np.where(_r < 0.01, (1.0 - 0.5 * _r) + (_r * _r) / 12.0, _r / (exp(_r) - 1.0))

HASHES = {
    "LOGISTIC_CDF": "e336fb7487d052fc",
    "NORMAL_CDF": "7e0ea36ddcc0419b",
    "LOGISTIC_RECIPROCAL": "8cb1b7ad08c4577d",
    "NORMAL_RECIPROCAL": "0e8014a725580557",
    "POWERS": "26bc62fd0f4cf813",
    "BERNOULLI_ZERO": "e2e84bfea35c5b5b",
    "QUANTILES": "f4670bf59e50ba3b",
    "SIGMOID": "a3f5ae553774cbd1",
    "SCALE_RECIPROCAL": "f5486f83ad0f5447",
    "INTERIOR": "e6ddab18876303ad",
    "INNER": "6308612b9c3d522a",
}
for _name, _hash in HASHES.items():
    if not hashlib.sha256(globals()[_name].tobytes()).hexdigest().startswith(_hash):
        raise ArithmeticError(f"table {_name} has wrong bits: this machine or this NumPy rounds in another way")


def interpolate(table: np.ndarray, t: np.ndarray, reach: int) -> np.ndarray:
    """Evaluate a distribution function at t, in units of 2^-12 (section 4.3.3)."""
    edge = reach << 12
    inside = np.clip(t, -edge, edge - 1) + edge
    i = inside >> 6
    result = table[i] + (((table[i + 1] - table[i]) * (inside & 63)) >> 6)
    return np.where(t <= -edge, 0, np.where(t >= edge, 1 << 30, result))


def look_up_sigma(x: np.ndarray) -> np.ndarray:
    """Take the sigmoid at the nearest multiple of 1/64 (section 4.4)."""
    return SIGMOID[np.clip(np.floor(x * 64.0 + 0.5), -1408, 1408).astype(np.int64) + 1408]


def log2_linear(x: np.ndarray) -> np.ndarray:
    """Compute a base-2 logarithm that is linear between powers of two (section 4.5)."""
    m, e = np.frexp(x)
    return (e - 2) + 2.0 * m


def logistic_gradient(x: np.ndarray, m: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the probability of x and the derivatives of its logarithm by mean and log scale (section 4.6)."""
    q = SCALE_RECIPROCAL[a + 96]
    upper = ((x + 0.5) - m * 0.0625) * q
    lower = ((x - 0.5) - m * 0.0625) * q
    first, last = x <= 0, x >= 255
    above = np.where(last, 0.0, look_up_sigma(-upper))
    below = np.where(first, 0.0, look_up_sigma(lower))
    inner = np.where(first | last, 0.0, INNER[a + 96])
    for_mean = (below - above) * q
    for_scale = (lower * below - upper * above) - inner
    p = np.where(last, 1.0, look_up_sigma(upper))
    p = p * np.where(first, 1.0, look_up_sigma(-lower))
    p = p * np.where(first | last, 1.0, INTERIOR[a + 96])
    return p, for_mean, for_scale


def grid_scale(largest: float, bound: int) -> float:
    """Find the power of two that brings numbers up to `largest` to integers up to `bound` (section 4.7)."""
    if largest == 0.0:
        largest = 1.0
    _, e = np.frexp(float(bound) / largest)
    return min(2.0 ** (int(e) - 1), 2.0**120)
