"""Fixtures of the tests of training."""

import os

import pytest


@pytest.fixture
def killed_while_writing(monkeypatch):
    """killed_while_writing(when): the when-th file to be put in place is not, and the process is told to end."""

    def arm(when):
        real, calls = os.replace, []

        def replace(source, target):
            calls.append(target)
            if len(calls) == when:
                raise KeyboardInterrupt
            real(source, target)

        monkeypatch.setattr(os, "replace", replace)

    return arm
