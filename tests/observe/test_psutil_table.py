"""What psutil finds, as the kernel would have told it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import psutil
import pytest

from agent.errors import ObserveError, RefusedError
from agent.model.address import AF_INET, AF_INET6
from agent.observe.psutil_table import PsutilTable, count

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Connection:
    """As psutil gives them."""

    family: int = AF_INET
    status: str = "ESTABLISHED"
    laddr: tuple[()] | tuple[str, int] = ("10.0.0.1", 80)
    raddr: tuple[()] | tuple[str, int] = ("192.0.2.1", 50_000)


IPV4 = bytes([192, 0, 2, 1]).ljust(20, b"\0")


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        pytest.param(Connection(), {(AF_INET, 1, 80, IPV4): 1}, id="IPv4"),
        pytest.param(
            Connection(AF_INET6, raddr=("::ffff:192.0.2.1", 1)),
            {(AF_INET, 1, 80, IPV4): 1},
            id="mapped",
        ),
        pytest.param(
            Connection(AF_INET6, "LISTEN", ("::", 80), ()),
            {(AF_INET6, 10, 80, bytes(20)): 1},
            id="listener",
        ),
        pytest.param(Connection(status="NONE"), {}, id="no state"),
        pytest.param(Connection(laddr=()), {}, id="not bound"),
    ],
)
def test_each_is_counted_under_its_key(
    connection: Connection, expected: dict[tuple[int, int, int, bytes], int]
) -> None:
    assert count([connection]) == expected


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(PermissionError(), RefusedError, id="permission"),
        pytest.param(psutil.AccessDenied(), RefusedError, id="psutil's own"),
        pytest.param(OSError(), ObserveError, id="any other"),
        pytest.param(RuntimeError("malformed"), ObserveError, id="malformed"),
    ],
)
def test_what_goes_wrong_is_translated(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type
) -> None:
    def fail(kind: str) -> None:
        assert kind == "tcp"
        raise error

    monkeypatch.setattr(psutil, "net_connections", fail)

    with pytest.raises(ObserveError) as caught:
        PsutilTable().read(NOW)

    assert type(caught.value) is kind
