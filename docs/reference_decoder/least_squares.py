"""Section 9.3: each pixel predicted by linear regression on its neighbours."""

from dataclasses import dataclass

import numpy as np

from .context import MARGIN, Context, Pixels
from .exact import log2_linear

NEIGHBOURS = [
    *[(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2)],
    *[(-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-1, 3), (-3, -1), (-3, 1), (-2, -3), (-2, 3)],
]


@dataclass
class Rule:
    """Say how a predictor is fitted: the columns of the table of section 9.3."""

    neighbours: int
    beside: float
    above: float
    weighted: bool
    every: int


RULES = [Rule(10, 0.9, 0.8, False, 1), Rule(20, 0.9, 0.8, True, 2), Rule(20, 0.97, 0.93, True, 8)]


class Regression:
    """Hold the predictors of a set of pictures."""

    def __init__(self, context: Context) -> None:
        """Begin with sums of 0."""
        self.context = context
        self.predictors = [LeastSquares(context, rule, r) for r, rule in enumerate(RULES[: context.predictors])]

    def begin(self, top: int, rows: int) -> None:
        """Begin to decode so many rows."""
        for predictor in self.predictors:
            predictor.begin(top, rows)

    def solve(self, t: int) -> None:
        """Solve the regressions of the segments that begin at wave t, where it is their turn."""
        for predictor in self.predictors:
            predictor.solve(t)

    def expect(self, pixels: Pixels) -> None:
        """Predict all channels of pixels of which nothing is known yet (section 9.3.3)."""
        for predictor in self.predictors:
            predictor.expect(pixels)

    def predict(self, pixels: Pixels, j: int, residuals: np.ndarray) -> None:
        """Predict channel j of pixels, when the residuals of the channels before it are known."""
        for predictor in self.predictors:
            predictor.predict(pixels, j, residuals)

    def learn(self, pixels: Pixels, residuals: np.ndarray) -> None:
        """Keep the residuals of decoded pixels, and their energies (section 9.3.4)."""
        for predictor in self.predictors:
            predictor.learn(pixels, residuals)
        errors = 8 * residuals[:, None] - pixels.of(self.context.predicted)
        energy = (errors * errors).sum(axis=-1) // (16 * self.context.channels)
        self.context.energy[pixels.i, pixels.y + MARGIN, pixels.x + MARGIN] = np.minimum(energy, 32767)

    def add(self, t: int) -> None:
        """Add the segments that end at wave t to the sums."""
        for predictor in self.predictors:
            predictor.add(t)


class LeastSquares:
    """Hold the sums G of one predictor, and the sums Q and coefficients of the rows being decoded."""

    def __init__(self, context: Context, rule: Rule, number: int) -> None:
        """Begin with sums of 0."""
        self.context, self.rule, self.number = context, rule, number
        c = context.channels
        self.base, self.size = rule.neighbours * c, (rule.neighbours + 1) * c
        self.segments = -(-context.width // 4)
        self.lower = np.tril_indices(self.size)  # entries n (n + 1) / 2 + m, in this order
        self.entries = len(self.lower[0]) + 1
        self.g = np.zeros((context.pictures, self.segments, self.entries))

    def begin(self, top: int, rows: int) -> None:
        """Begin to decode so many rows."""
        pictures, c = self.context.pictures, self.context.channels
        self.top, self.rows = top, rows
        self.q = np.zeros((pictures, rows, self.entries))
        self.coefficients = np.zeros((pictures, rows, c, self.size), np.int64)
        self.log_variance = np.zeros((pictures, rows, c), np.int64)
        self.v = np.zeros((pictures, rows, self.context.width, self.size), np.int64)
        self.partial = np.zeros((pictures, rows, self.context.width, c), np.int64)

    def active(self, t: int) -> np.ndarray:
        """List the rows that are in a segment at wave t."""
        segment = t // 4 - np.arange(self.rows)
        return np.flatnonzero((segment >= 0) & (segment < self.segments))

    def solve(self, t: int) -> None:
        """Solve the regression of the segments that begin at wave t (section 9.3.2)."""
        rows = self.active(t)
        if (self.top + t // 4) % self.rule.every:
            rows = rows[t // 4 == rows]  # the row that begins, if one does
        if not len(rows):
            return
        k = t // 4 - rows
        fading = np.where(k > 0, self.rule.beside, 0.0)[:, None]
        a = fading * self.q[:, rows] + self.rule.above * self.g[:, k]
        weight = 1.0 / (1.0 + a[..., -1])
        m = np.zeros((*weight.shape, self.size, self.size))
        m[..., self.lower[1], self.lower[0]] = a[..., :-1] * weight[..., None]
        diagonal = np.arange(self.size)
        trace = m[..., diagonal[: self.base], diagonal[: self.base]].cumsum(axis=-1)[..., -1]
        ridge = 4.0 * weight + 0.001 * (trace / self.base)
        m[..., diagonal, diagonal] += ridge[..., None]
        d = self.factor(m)
        x = self.substitute(m, d)
        self.coefficients[:, rows] = np.clip(np.floor(x * 4096.0 + 0.5), -32768, 32768)
        last = d[..., self.base :]
        self.log_variance[:, rows] = np.trunc(log2_linear(1.0 / (last * last)) * 32.0)

    def factor(self, m: np.ndarray) -> np.ndarray:
        """Replace M by its Cholesky factor, and return the reciprocals of the diagonal.

        Row n is taken from all rows below it as soon as it is final, so each entry still subtracts its terms in the
        order k = 0, 1, ...
        """
        d = np.zeros(m.shape[:-1])
        for n in range(self.size):
            d[..., n] = 1.0 / np.sqrt(m[..., n, n])
            m[..., n, n + 1 :] *= d[..., n, None]
            row = m[..., n, n + 1 :]
            m[..., n + 1 :, n + 1 :] -= row[..., :, None] * row[..., None, :]
        return d

    def substitute(self, m: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Solve for the coefficients (..., channels, size); channel j is regressed on all before its own."""
        c = self.context.channels
        x = np.zeros((*d.shape[:-1], c, self.size))
        for j in range(c):
            b = self.base + j
            x[..., j, b] = -1.0
            for n in range(b - 1, -1, -1):
                terms = -(m[..., n, n + 1 : b + 1] * x[..., j, n + 1 : b + 1])
                x[..., j, n] = terms.cumsum(axis=-1)[..., -1] * d[..., n]
        return x

    def expect(self, pixels: Pixels) -> None:
        """Predict all channels of pixels of which nothing is known yet (section 9.3.3)."""
        context, c = self.context, self.context.channels
        p = context.median_edge(pixels)
        v = np.zeros((len(pixels), self.size), np.int64)
        for q, (dy, dx) in enumerate(NEIGHBOURS[: self.rule.neighbours]):
            v[:, q * c : (q + 1) * c] = (context.at(pixels, dy, dx) - p)[:, context.order]
        row = (pixels.i, pixels.y - self.top)
        coefficients = self.coefficients[row]
        base = (coefficients[..., : self.base] * v[:, None, : self.base]).sum(axis=-1)
        total = base.copy()
        for j in range(c):
            for i in range(j):
                total[:, j] += (coefficients[:, j, self.base + i] * total[:, i]) >> 12
        self.v[(*row, pixels.x)] = v
        self.partial[(*row, pixels.x)] = base
        context.expected[pixels.i, pixels.y, pixels.x, self.number] = rounded(total)
        if self.number == 0:
            context.log_variance[pixels.i, pixels.y, pixels.x] = self.log_variance[row]

    def predict(self, pixels: Pixels, j: int, residuals: np.ndarray) -> None:
        """Predict channel j of pixels, when the residuals of the channels before it are known."""
        row = (pixels.i, pixels.y - self.top)
        part = self.coefficients[row][:, j, self.base : self.base + j] * residuals[:, :j]
        total = self.partial[(*row, pixels.x)][:, j] + part.sum(axis=-1)
        self.context.predicted[pixels.i, pixels.y, pixels.x, self.number, j] = rounded(total)

    def learn(self, pixels: Pixels, residuals: np.ndarray) -> None:
        """Keep the residuals of decoded pixels."""
        self.v[pixels.i, pixels.y - self.top, pixels.x, self.base :] = residuals

    def add(self, t: int) -> None:
        """Add the segments that end at wave t to the sums (section 9.3.1)."""
        for r in self.active(t):
            k = t // 4 - r
            self.q[:, r] = (self.rule.beside if k > 0 else 0.0) * self.q[:, r] + self.sums(r, k)
            self.g[:, k] = self.q[:, r] + self.rule.above * self.g[:, min(k + 1, self.segments - 1)]

    def sums(self, r: int, k: int) -> np.ndarray:
        """Sum over the pixels of segment k of row r, one after the other."""
        v = self.v[:, r, 4 * k : 4 * k + 4]
        sums = np.zeros((len(v), self.entries))
        for p in range(v.shape[1]):
            weight = self.weight(self.top + r, 4 * k + p)[:, None]
            sums[:, :-1] += (weight * v[:, p, self.lower[0]]) * v[:, p, self.lower[1]]
            sums[:, -1:] += weight
        return sums

    def weight(self, y: int, x: int) -> np.ndarray:
        """Compute what a pixel of each picture weighs (section 9.3.4)."""
        n = self.context.pictures
        if not self.rule.weighted:
            return np.ones(n)
        pixels = Pixels(np.arange(n), np.full(n, y), np.full(n, x))
        near = [(0, 0), (0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 1)]
        total = sum(self.context.energies(pixels, dy, dx)[:, 0] for dy, dx in near)
        return 24.0 / (24.0 + total)


def rounded(total: np.ndarray) -> np.ndarray:
    """Round a prediction to units of 1/8."""
    return np.clip((total + 256) >> 9, -1023, 1023)
