"""Copying beside the judging: what fails there is raised where files are given, and nobody waits for ever."""

import threading
from contextlib import contextmanager, nullcontext

import pytest

from yiwang.engines.hub.loading import WAITING, _Copying
from yiwang.engines.hub.tests.test_validation import DATASET


class Broken(Exception):
    pass


class Connection(nullcontext):
    """Fails when its table is made, or only at its commit."""

    def __init__(self, at_once):
        super().__init__(self)
        self.at_once = at_once

    @contextmanager
    def transaction(self):
        if self.at_once:
            raise Broken
        yield
        raise Broken


@pytest.mark.parametrize("at_once", [True, False])
def test_what_copying_raises_reaches_the_giver(at_once, tmp_path):
    raised = []

    def give():
        try:
            with _Copying(lambda: Connection(at_once), lambda _con: None, "d__1", DATASET) as copying:
                for n in range(2 * WAITING if at_once else 0):
                    copying.give(tmp_path / str(n))
        except Broken as error:
            raised.append(error)

    giver = threading.Thread(target=give, daemon=True)
    giver.start()
    giver.join(20)
    assert not giver.is_alive() and len(raised) == 1
