"""Headers of sets: recorded bytes, every truncation of them, and the kernel itself."""

import pytest

from agent.act.ipset_headers import Headers, read_headers
from agent.act.ipset_sets import create, destroy, restore
from agent.errors import ObserveError
from tests.range import in_namespace

# A hash:net named aa4-web with one element, as Linux 6.18 tells of it.
RECORDED = bytes.fromhex(
    "940000000706020001000000b93000000200000005000100060000000c0002006161342d77656200"
    "0d000300686173683a6e657400000000050005000200000005000400070000004c00078008001240"
    "000004000800134000100000050015000c000000080011404b877359080019400000000008001a40"
    "00000218080018400000000108000640000002580800084000000010"
)
DONE = bytes.fromhex("1400000003000200010000000000000000000000")


def test_recorded_headers_are_read() -> None:
    answer = Headers()

    assert not answer.take(RECORDED)
    assert answer.take(DONE)
    assert answer.elements == {"aa4-web": 1}


@pytest.mark.parametrize("size", range(1, len(RECORDED)))
def test_a_cut_answer_is_refused(size: int) -> None:
    with pytest.raises(ObserveError):
        Headers().take(RECORDED[:size])


@pytest.mark.root
def test_the_kernel_tells_the_number_of_elements(namespace: str) -> None:
    with in_namespace(namespace):
        assert read_headers() == {}

        made = create(["aa4-web", "aa6-allow"])
        restore(f"add aa4-web 192.0.2.{n}\n" for n in range(7))

        assert made == ("aa4-web", "aa6-allow")
        assert read_headers() == {"aa4-web": 7, "aa6-allow": 0}
        assert destroy(["aa4-web", "aa4-gone"]) == ("aa4-web",)
        assert read_headers() == {"aa6-allow": 0}
