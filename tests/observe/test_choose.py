"""Which reader is taken."""

import pytest

from agent.errors import ObserveError, RefusedError
from agent.observe import choose, open_reader


def test_the_kernels_dump_is_the_default() -> None:
    assert open_reader().name == "sock_diag"


def test_psutil_reads_where_netlink_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, RefusedError("no"))

    assert open_reader().name == "psutil"


def test_a_failure_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, ObserveError("later"))

    with pytest.raises(ObserveError):
        open_reader()


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def read_raw() -> None:
        raise error

    monkeypatch.setattr(choose, "read_raw", read_raw)
