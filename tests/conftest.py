"""What all tests share: root is asked for by a marker, and hosts by a fixture."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.range import Hosts, namespace, two_hosts, why_not

# How fast a machine is that something else runs on as well says nothing about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where namespaces can't be made."""
    if item.get_closest_marker("root") and (reason := why_not()):
        pytest.skip(reason)


@pytest.fixture(name="namespace")
def _namespace() -> Iterator[str]:
    """Give the name of a network namespace of its own."""
    with namespace() as name:
        yield name


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Give a server and a client on a wire."""
    with two_hosts() as made:
        yield made
