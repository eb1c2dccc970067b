"""Headers of sets: recorded bytes, every truncation of them, and the kernel itself."""

import pytest

from agent.act.ipset.headers import Header, Headers, read_headers, read_sets
from agent.act.ipset.names import kind_of
from agent.act.ipset.sets import create, destroy, restore, strangers
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
    assert answer.found == {"aa4-web": Header(elements=1, references=0, kind=kind_of("aa4-web"))}


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


@pytest.mark.root
@pytest.mark.parametrize("name", ["aa4-web", "aa6-host-ssh", "aa4-allow", "aa6-allow", "aa6-seen"])
def test_what_is_made_by_its_name_is_of_its_kind(namespace: str, name: str) -> None:
    with in_namespace(namespace):
        create([name])

        assert read_sets()[name].kind == kind_of(name)
        assert strangers([name]) == {}


@pytest.mark.root
@pytest.mark.parametrize(
    ("name", "made"),
    [
        pytest.param("aa4-web", "hash:ip timeout 9 comment", id="another type"),
        pytest.param("aa4-web", "hash:net family inet6 timeout 9 comment", id="another family"),
        pytest.param("aa4-web", "hash:net comment", id="no timeouts"),
        pytest.param("aa4-web", "hash:net timeout 9 counters", id="no comments"),
        pytest.param("aa4-allow", "hash:net timeout 9", id="an allow set that ends"),
        pytest.param("aa4-seen", "bitmap:port range 1-9", id="no family"),
        pytest.param("aa4-host", "list:set", id="a set of sets"),
    ],
)
def test_a_set_of_another_kind_is_a_stranger(namespace: str, name: str, made: str) -> None:
    with in_namespace(namespace):
        restore([f"create {name} {made}\n"])

        assert strangers([name, "aa4-gone"]) == {name: 0}
