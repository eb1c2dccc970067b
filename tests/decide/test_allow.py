from datetime import timedelta

import pytest

from agent.decide import allow_set
from tests.builders import NOW, entry, policy, prefix, spared


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="a-full-exemption"),
        pytest.param({"services": frozenset({"ssh"})}, False, id="for-one-service"),
        pytest.param({"patience": 10}, False, id="patience"),
        pytest.param({"until": NOW}, False, id="ended"),
        pytest.param({"until": NOW + timedelta(days=1)}, True, id="not-ended-yet"),
    ],
)
def test_only_full_exemptions_are_in_the_allow_set(
    changes: dict[str, object], expected: bool
) -> None:
    by = policy(allowlist=(entry("one", "192.0.2.0/24", **changes),))

    assert (prefix("192.0.2.0/24") in allow_set(by, spared(), NOW)) is expected


def test_guards_are_in_the_allow_set() -> None:
    assert allow_set(policy(), spared("192.0.2.1/32"), NOW) == {prefix("192.0.2.1/32")}
