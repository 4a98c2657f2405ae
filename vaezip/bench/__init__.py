"""Run the benchmark: rate, time and memory of models and of other codecs, on the same pixels in one run.

* :mod:`~vaezip.bench.plan`: what is to be measured.
* :mod:`~vaezip.bench.runner`: does it, every method in a process of its own
  (:mod:`~vaezip.bench.worker`), by :mod:`~vaezip.bench.measure`.
* :mod:`~vaezip.bench.ours` and :mod:`~vaezip.bench.peers`: the methods.
* :mod:`~vaezip.bench.report`: the figures, and their JSON; ``docs/bench.md`` describes it.
* :mod:`~vaezip.bench.table` and :mod:`~vaezip.bench.plots`: the figures for people.

Nothing is imported here, so that ``vaezip bench --help`` is quick.
"""
