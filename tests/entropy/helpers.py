"""What tests of predictions by :mod:`vaezip.entropy.mixing` and :mod:`vaezip.entropy.histories` share."""

import numpy as np

from vaezip.entropy import histories


def bits_of(by, m, decisions):
    """Return what decisions (contexts, bit) cost by the module that predicts them, learning from each."""
    cost = 0.0
    for contexts, bit in decisions:
        m.contexts[: len(contexts)] = contexts
        p = predicted(m, len(contexts)) if by is histories else by.predict(m, len(contexts), 0, 1, 2)
        cost -= np.log2((p if bit else (1 << by.PRECISION) - p) / (1 << by.PRECISION))
        given = (0,) if by is histories else ()
        by.update(m, *given, len(contexts), 1, 2, bit)
    return cost


def predicted(m, count, *, node=0, kind=1, correction=2):
    """Return the frequency of a 1 by :mod:`vaezip.entropy.histories`."""
    histories._begin(m, count, node)
    return histories._predict(m, 0, count, kind, correction)
