"""Which reader is taken."""

import socket
from datetime import datetime

import pytest

from agent.errors import ObserveError, RefusedError
from agent.model.sample import Sample
from agent.observe import choose
from agent.observe.choose import open_reader, read_sample
from agent.observe.sock_diag import SockDiag
from tests.builders import NOW


def test_the_kernels_dump_is_the_default() -> None:
    assert open_reader().name == "sock_diag"


def test_psutil_reads_where_netlink_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, RefusedError("no"))

    assert open_reader().name == "psutil"


def test_a_single_sample_is_read_by_whoever_may(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: SockDiag, _now: datetime) -> Sample:
        raise RefusedError("no")

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port in read_sample(NOW).listening
        monkeypatch.setattr(SockDiag, "read", refuse)
        assert port in read_sample(NOW).listening


def test_a_failure_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, ObserveError("later"))

    with pytest.raises(ObserveError):
        open_reader()


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def read_raw() -> None:
        raise error

    monkeypatch.setattr(choose, "read_raw", read_raw)
