"""What the kernel's answers come to."""

import errno

import pytest

from agent.act.cut.removal import Removal, removal_of
from agent.errors import PrivilegeError


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param([], Removal(), id="nothing asked for"),
        pytest.param([0, 0], Removal(removed=2), id="done"),
        pytest.param([0, errno.ENOENT, errno.ESTALE], Removal(removed=1), id="gone meanwhile"),
        pytest.param(
            [0, errno.EBUSY],
            Removal(removed=1, left=1, failure="flows are left: Device or resource busy"),
            id="busy",
        ),
        pytest.param(
            [errno.EBUSY, errno.EINVAL, errno.EINVAL],
            Removal(left=3, failure="so it is"),
            id="the commonest reason, in our words",
        ),
    ],
)
def test_answers_are_summed_up(numbers: list[int], expected: Removal) -> None:
    assert removal_of("flows", numbers, {errno.EINVAL: "so it is"}) == expected


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_one_refusal_is_told_with_the_capability(number: int) -> None:
    with pytest.raises(PrivilegeError, match="CAP_NET_ADMIN"):
        removal_of("sockets", [0, number])
