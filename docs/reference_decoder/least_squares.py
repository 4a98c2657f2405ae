"""Section 9.3: each pixel predicted by linear regression on its neighbours."""

import numpy as np

from .context import Context, Pixels
from .exact import log2_linear

NEIGHBOURS = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2)]


class LeastSquares:
    """Hold the sums G of a set of pictures, and the sums Q and coefficients of the rows being decoded."""

    def __init__(self, context: Context) -> None:
        """Begin with sums of 0."""
        self.context = context
        c = context.channels
        self.base, self.size = 10 * c, 11 * c
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
        if not len(rows):
            return
        k = t // 4 - rows
        fading = np.where(k > 0, 0.9, 0.0)[:, None]
        a = fading * self.q[:, rows] + 0.8 * self.g[:, k]
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
        """Solve for the coefficients (..., channels, size); channel j is regressed on all entries before 10 c + j."""
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
        for q, (dy, dx) in enumerate(NEIGHBOURS):
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
        context.expected[pixels.i, pixels.y, pixels.x] = rounded(total)
        context.log_variance[pixels.i, pixels.y, pixels.x] = self.log_variance[row]

    def predict(self, pixels: Pixels, j: int, residuals: np.ndarray) -> None:
        """Predict channel j of pixels, when the residuals of the channels before it are known."""
        row = (pixels.i, pixels.y - self.top)
        part = self.coefficients[row][:, j, self.base : self.base + j] * residuals[:, :j]
        total = self.partial[(*row, pixels.x)][:, j] + part.sum(axis=-1)
        self.context.predicted[pixels.i, pixels.y, pixels.x, j] = rounded(total)

    def learn(self, pixels: Pixels, residuals: np.ndarray) -> None:
        """Keep the residuals of decoded pixels."""
        self.v[pixels.i, pixels.y - self.top, pixels.x, self.base :] = residuals

    def add(self, t: int) -> None:
        """Add the segments that end at wave t to the sums (section 9.3.1)."""
        for r in self.active(t):
            k = t // 4 - r
            v = self.v[:, r, 4 * k : 4 * k + 4]
            sums = np.zeros((len(v), self.entries))
            products = (v[..., :, None] * v[..., None, :]).sum(axis=1)
            sums[:, :-1] = products[:, self.lower[0], self.lower[1]]
            sums[:, -1] = v.shape[1]
            self.q[:, r] = (0.9 if k > 0 else 0.0) * self.q[:, r] + sums
            self.g[:, k] = self.q[:, r] + 0.8 * self.g[:, min(k + 1, self.segments - 1)]


def rounded(total: np.ndarray) -> np.ndarray:
    """Round a prediction to units of 1/8."""
    return np.clip((total + 256) >> 9, -1023, 1023)
