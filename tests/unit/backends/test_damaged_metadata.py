"""Metadata that cannot be read is reported and hides no other backend."""

import pytest

from scverse_backends.exceptions import BackendRegistrationWarning

GROUP = "tests.example_host.backends"
ENTRY = f"[{GROUP}]\nodd = odd_module\n".encode()


@pytest.fixture
def healthy(site):
    """A backend beside the damaged one."""
    site.backend("fine", "name = 'fine'", reference="fine", distribution="healthy-backend")
    site.write("odd_module.py", "name = 'odd'")


def damage(site, *, entry_points=ENTRY, metadata=None):
    """Write a distribution's metadata as it is given, byte by byte."""
    folder = site.folder / "odd_backend-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_bytes(entry_points)
    if metadata is not None:
        (folder / "METADATA").write_bytes(metadata)


SOUND = b"Metadata-Version: 2.1\nName: odd-backend\nVersion: 1.0\n"


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("entry_points", "metadata", "named"),
    [
        (ENTRY.replace(b"\n", b"\xff\n"), SOUND, "odd-backend"),
        (ENTRY.replace(b" =", b""), SOUND, "odd-backend"),
        (b"\xff", None, "odd_backend-1.0.dist-info"),
    ],
    ids=["not UTF-8", "no equals sign", "of a distribution without a name"],
)
def test_unreadable_entry_points_are_reported_and_hide_no_other(
    site, dispatcher, entry_points, metadata, named
):
    damage(site, entry_points=entry_points, metadata=metadata)
    with pytest.warns(BackendRegistrationWarning, match=f"{named}.*cannot be read") as caught:
        found = dispatcher.backends()
    assert [info.name for info in found] == ["fine"]
    assert [w.filename for w in caught] == [__file__]
    assert dispatcher.get_backend("fine").name == "fine"


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("metadata", "known"),
    [
        (None, (None, None)),
        (b"", (None, None)),
        (b"Name:\nVersion:\n", (None, None)),
        (b"Name: odd\xff\n", (None, None)),
        (b"Metadata-Version: 2.1\nName: odd-backend\n", ("odd-backend", None)),
        (b"Metadata-Version: 2.1\nVersion: 1.0\n", (None, "1.0")),
    ],
    ids=["no file", "empty", "blank", "not UTF-8", "no version", "no name"],
)
def test_a_backend_whose_distribution_does_not_say_who_it_is_works(
    site, dispatcher, metadata, known
):
    damage(site, metadata=metadata)
    found = {info.name: (info.distribution, info.version) for info in dispatcher.backends()}
    assert found == {"fine": ("healthy-backend", "1.0"), "odd": known}
    assert dispatcher.get_backend("odd").name == "odd"
    assert dispatcher.get_backend("fine").name == "fine"


def test_a_distribution_without_a_name_cannot_serve_a_trusted_one(site, make_dispatcher):
    damage(site)
    dispatcher = make_dispatcher(trusted_backends={"odd": {"package": "odd-backend"}})
    with pytest.warns(UserWarning, match="an unnamed distribution"):
        (info,) = dispatcher.backends()
    assert info.state == "refused"


class Unreadable:
    """A distribution that fails in whatever it is asked."""

    def __getattr__(self, name):
        raise OSError(name)

    __str__ = __repr__ = None


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("found", [(), (object(), Unreadable())])
def test_a_finder_that_fails_is_reported_and_hides_no_other(dispatcher, find_distributions, found):
    def find(context):
        yield from found
        raise RuntimeError("the disk is gone")

    find_distributions(find)
    with pytest.warns(BackendRegistrationWarning, match="cannot be read") as caught:
        assert [info.name for info in dispatcher.backends()] == ["fine"]
    assert len(caught) == 1 + len(found)
    assert "the disk is gone" in str(caught[-1].message)
    assert dispatcher.get_backend("fine").name == "fine"


ODD_PATH = f"""
import sys
from scverse_backends import BackendDispatcher
sys.path[:0] = [b"/nowhere", None, 5]
dispatcher = BackendDispatcher(
    entrypoint_group={GROUP!r}, host_name="example_host", untrusted="allow"
)
print(dispatcher.get_backend("fine").name)
"""


@pytest.mark.usefixtures("healthy")
def test_what_is_no_text_on_the_path_hides_no_backend(run_python):
    # Without `site`, which starts coverage, which cannot work with such a path.
    assert run_python("-S", "-W", "error", "-c", ODD_PATH).stdout == "fine\n"
