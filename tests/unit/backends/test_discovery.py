"""What is installed is known from metadata, read when it is first needed and then on request."""

import importlib
import inspect
import os
import sys
import warnings
import zipfile

import pytest

from scverse_backends.exceptions import UnknownBackendError

GROUP = "tests.example_host.backends"


def install(site, name="mine", distribution="my-backend", **options):
    """Install a backend whose module is named after its entry point."""
    module = f"{name}_module"
    options.setdefault("entry_points", {name: module})
    options.setdefault("modules", {module: f"name = {name!r}"})
    return site.install(distribution, **options)


def listed(dispatcher):
    return [(info.name, info.distribution, info.version) for info in dispatcher.backends()]


def test_metadata_is_not_read_by_making_a_host_decorating_or_calling_it(site, dispatcher):
    double = dispatcher.backend_dispatch(name="double")(lambda values: "host")
    assert double([1]) == double([1], backend="cpu") == "host"
    install(site)
    assert listed(dispatcher) == [("mine", "my-backend", "1.0")]


@pytest.mark.parametrize(
    ("first", "use"),
    [
        (5, lambda dispatcher: dispatcher.settings.available_backends()),
        (6, lambda dispatcher: dispatcher.backends()[0]),
        (7, lambda dispatcher: dispatcher.refresh()),
    ],
    ids=["available_backends", "backends", "refresh"],
)
def test_a_first_look_near_the_end_of_the_stack_is_no_knowledge(site, make_dispatcher, first, use):
    def below(levels, work):
        return below(levels - 1, work) if levels else work()

    room = sys.getrecursionlimit() - len(inspect.stack(0))
    outcomes = set()
    for spare in range(first, 65, 3):  # together they come to every depth
        install(site, f"mine{spare}", f"backend-{spare}", group=f"late{spare}.backends")
        dispatcher = make_dispatcher(entrypoint_group=f"late{spare}.backends", untrusted="allow")
        try:
            below(room - spare, lambda: use(dispatcher))  # noqa: B023 - called at once
            outcomes.add("done")
        except RecursionError:
            outcomes.add("told")
        assert [info.name for info in dispatcher.backends()] == [f"mine{spare}"]
    assert "told" in outcomes


def test_metadata_is_read_once_and_again_when_asked_to_refresh(site, dispatcher):
    assert dispatcher.backends() == ()
    install(site)
    assert dispatcher.backends() == ()
    with pytest.raises(UnknownBackendError):
        dispatcher.get_backend("mine")
    dispatcher.refresh()
    assert listed(dispatcher) == [("mine", "my-backend", "1.0")]
    assert dispatcher.get_backend("mine").name == "mine"


def test_a_backend_that_was_uninstalled_is_gone_after_a_refresh(site, dispatcher):
    info = install(site)
    dispatcher.get_backend("mine")
    (info / "entry_points.txt").unlink()
    assert dispatcher.get_backend("mine").name == "mine"
    dispatcher.refresh()
    assert dispatcher.backends() == ()
    with pytest.raises(UnknownBackendError, match="No backend is installed"):
        dispatcher.get_backend("mine")


def test_backends_are_listed_in_the_order_of_their_names(site, dispatcher):
    for name in ("zebra", "apple", "Mango"):
        install(site, name, f"{name}-backend")
    assert [info.name for info in dispatcher.backends()] == ["apple", "Mango", "zebra"]


def test_of_one_name_the_backend_of_an_unnamed_distribution_comes_last(site, dispatcher):
    for name in ("first", "second"):
        install(site, name, f"{name}-backend", entry_points={"mine": f"{name}_module"})
    (site.folder / "first_backend-1.0.dist-info" / "METADATA").write_text("Version: 1.0\n")
    assert [entry[1] for entry in listed(dispatcher)] == ["second-backend", None]
    assert dispatcher.get_backend("mine").__name__ == "second_module"


@pytest.mark.parametrize(("letters", "shown"), [(200, "n" * 200), (201, f"{'n' * 197}...")])
def test_a_name_of_more_than_two_hundred_letters_is_cut_to_that_many(
    site, dispatcher, letters, shown
):
    install(site, entry_points={"n" * letters: "mine_module"})
    assert [info.name for info in dispatcher.backends()] == [shown]


@pytest.mark.parametrize("other", [f"{GROUP}.more", "tests.example_host", "x"])
def test_hosts_of_different_groups_see_their_own_backends(site, make_dispatcher, other):
    install(site, "mine", "my-backend")
    install(site, "yours", "your-backend", group=other)
    for group, name in ((GROUP, "mine"), (other, "yours")):
        found = make_dispatcher(entrypoint_group=group).backends()
        assert [info.name for info in found] == [name]


CLASS = "class Adapter:\n    name = 'mine'\n"


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("pkg.adapter", "name = 'mine'"),
        ("pkg.adapter:Adapter", CLASS),
        ("pkg.adapter:adapter", f"{CLASS}adapter = Adapter()"),
        ("pkg.adapter:Outer.Inner", "class Outer:\n    class Inner:\n        name = 'mine'"),
        ("pkg.adapter : Adapter", CLASS),
        ("pkg.adapter [gpu,extra]", "name = 'mine'"),
        ("pkg.adapter:Adapter [gpu]", CLASS),
    ],
)
def test_an_object_reference_names_a_module_a_class_or_an_object(
    site, dispatcher, reference, source
):
    site.install("my-backend", entry_points={"mine": reference}, modules={"pkg.adapter": source})
    (info,) = dispatcher.backends()
    assert info.entry_point == reference.partition(" [")[0]
    assert dispatcher.get_backend("mine").name == "mine"


def test_a_backend_may_live_in_a_namespace_package(site, dispatcher):
    site.install("my-backend", entry_points={"mine": "shared_namespace.mine"})
    site.write("shared_namespace/mine.py", "name = 'mine'")
    try:
        assert dispatcher.get_backend("mine").name == "mine"
    finally:
        sys.modules.pop("shared_namespace", None)


def test_a_backend_may_be_installed_in_a_zip_file(site, dispatcher, tmp_path, monkeypatch):
    install(site)
    packed = tmp_path / "site.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in site.folder.rglob("*"):
            archive.write(file, file.relative_to(site.folder))
    monkeypatch.syspath_prepend(str(packed))
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(site.folder)])
    try:
        assert listed(dispatcher) == [("mine", "my-backend", "1.0")]
        assert str(packed) in dispatcher.get_backend("mine").__file__
    finally:
        sys.modules.pop("mine_module", None)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *[(f"{name}.dist-info", "my-backend") for name in ("my_backend-1.0", "My.Backend-1.0")],
        *[(f"{name}.dist-info", "my-backend") for name in ("my-backend-1.0", "my_backend")],
        ("renamed-1.0.dist-info", "renamed"),
        ("my_backend.egg-info", "my-backend"),
        ("My_Backend-1.0-py3.11.egg-info", "my-backend"),
        ("other.egg-info", "other"),
    ],
)
def test_a_folder_speaks_for_the_package_whose_name_it_bears_in_any_spelling(
    site, dispatcher, folder, name
):
    info = install(site).rename(site.folder / folder)
    if folder.endswith("egg-info"):
        (info / "METADATA").rename(info / "PKG-INFO")
    assert listed(dispatcher) == [("mine", name, "1.0")]


@pytest.mark.parametrize(
    "folder",
    ["my_backend_more-1.0", "my_backend-more-1.0", "my_backend-1.0-more", "other-1.0", "other"],
)
def test_a_folder_that_another_package_brought_does_not_speak_for_a_trusted_one(
    site, make_dispatcher, folder
):
    install(site, "fast").rename(site.folder / f"{folder}.dist-info")
    dispatcher = make_dispatcher(trusted_backends={"fast": {"package": "my-backend"}})
    with pytest.warns(UserWarning, match="it claims the trusted name 'fast'"):
        (info,) = dispatcher.backends()
    assert info.state == "refused"
    assert site.imported() == set()


@pytest.mark.parametrize("recorded", ["1.0", "2.0", "9.0", "10.0"])
def test_of_two_folders_of_one_name_the_one_that_an_installer_recorded_counts(
    site, dispatcher, recorded
):
    for version in ("1.0", "2.0", "9.0", "10.0"):
        folder = install(site, version=version)
        if version == recorded:
            (folder / "RECORD").write_text("mine_module.py,,\n")
    assert listed(dispatcher) == [("mine", "my-backend", recorded)]


BROUGHT = [
    "my_backend-9.0.dist-info",
    "My.Backend-1.0.dist-info",
    "my_backend.dist-info",
    "my_backend-1.0-py3.11.egg-info",
]


@pytest.fixture
def bring(site):
    """Have the package ``innocent`` bring a folder that says it is ``my-backend``, with a module."""

    def bring(folder, record):
        innocent = site.install("innocent", group="none", modules={"a_module": "name = 'mine'"})
        made = site.install("my-backend", version="9.0", entry_points={"mine": "a_module"})
        brought = made.rename(site.folder / folder)
        if folder.endswith("egg-info"):
            (brought / "METADATA").rename(brought / "PKG-INFO")
        (brought / "RECORD").write_text(record)
        (innocent / "RECORD").write_text(
            f"a_module.py,,\n{folder}/METADATA,,\n{folder}/entry_points.txt,,\n"
        )

    return bring


@pytest.mark.parametrize("folder", BROUGHT)
@pytest.mark.parametrize("record", ["", "a_module.py,,\n"])
def test_a_folder_that_the_record_of_another_package_lists_is_that_packages(
    site, make_dispatcher, bring, folder, record
):
    bring(folder, record)
    dispatcher = make_dispatcher(trusted_backends={"mine": {"package": "my-backend"}})
    with pytest.warns(UserWarning, match="comes from 'innocent', not 'my-backend'"):
        assert listed(dispatcher) == [("mine", "innocent", "1.0")]
    assert site.imported() == set()


@pytest.mark.parametrize("folder", BROUGHT)
@pytest.mark.parametrize("record", ["", "a_module.py,,\n", "{}/METADATA,,\n"])
def test_the_package_itself_stands_before_a_folder_that_another_one_brought(
    site, make_dispatcher, bring, folder, record
):
    bring(folder, record.format(folder))
    own = install(site)
    (own / "RECORD").write_text(f"mine_module.py,,\n{own.name}/METADATA,,\n")
    dispatcher = make_dispatcher(
        trusted_backends={"mine": {"package": "my-backend"}}, untrusted="refuse"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert dispatcher.get_backend("mine").__name__ == "mine_module"
    assert "a_module" not in site.imported()


@pytest.mark.parametrize("versions", [("1.0", "2.0"), ("9.0", "10.0"), ("1.0", "1.0.1")])
def test_of_two_folders_of_one_name_the_newest_release_counts(site, dispatcher, versions):
    for version in versions:
        install(site, version=version)
    assert listed(dispatcher) == [("mine", "my-backend", versions[1])]


def test_what_pip_could_not_remove_is_not_there(site, dispatcher):
    install(site, version="2.0").rename(site.folder / "~y_backend-2.0.dist-info")
    install(site, version="1.0")
    assert listed(dispatcher) == [("mine", "my-backend", "1.0")]


def test_a_distribution_without_files_is_found(site, dispatcher, find_distributions, pack):
    def locate(path):
        raise NotImplementedError(path)

    packed = pack("packed", "3.0", "mine = mine_module", locate)
    site.write("mine_module.py", "name = 'mine'")
    find_distributions(lambda context: [packed] if context.name in (None, "packed") else [])
    assert listed(dispatcher) == [("mine", "packed", "3.0")]
    assert dispatcher.get_backend("mine").name == "mine"


@pytest.mark.parametrize("line", ["odd = not a module!", "odd", "odd = ", "[", "= x"])
def test_a_malformed_entry_point_of_another_group_hides_nothing(site, dispatcher, line):
    folder = install(site)
    points = (folder / "entry_points.txt").read_text()
    (folder / "entry_points.txt").write_text(f"# more\n[console_scripts]\n{line}\n{points}")
    assert listed(dispatcher) == [("mine", "my-backend", "1.0")]


@pytest.mark.parametrize(
    "name",
    [
        "my-bac\u212aend",
        "my-backend\u00a0",
        "\u2003my-backend",
        "\uff4dy-backend",
        "my-b\u0430ckend",
    ],
)
def test_a_name_with_a_letter_outside_of_ascii_is_another_name(site, make_dispatcher, name):
    folder = install(site, "fast")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    folder.rename(site.folder / "backend.dist-info")
    dispatcher = make_dispatcher(trusted_backends={"fast": {"package": "my-backend"}})
    with pytest.warns(UserWarning, match="it claims the trusted name 'fast'"):
        (info,) = dispatcher.backends()
    assert (info.state, info.distribution.isascii()) == ("refused", True)


class TestInstalledWhileRunning:
    """Python's import system has listed the folder before, and its time does not change."""

    def test_a_module_is_found_after_a_refresh(self, site, dispatcher):
        site.write("other.py", "")
        importlib.import_module("other")
        before = site.folder.stat()
        install(site)
        importlib.import_module("other")
        assert listed(dispatcher) == [("mine", "my-backend", "1.0")]
        (site.folder / "late_module.py").write_text("name = 'late'")
        folder = site.folder / "late-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Name: late\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\nlate = late_module\n")
        os.utime(site.folder, ns=(before.st_atime_ns, before.st_mtime_ns))
        dispatcher.refresh()
        assert dispatcher.get_backend("late").name == "late"

    def test_a_finder_that_fails_does_not_stop_it(self, site, dispatcher, monkeypatch):
        class Failing:
            def find_spec(self, name, path=None, target=None):
                return None

            def invalidate_caches(self):
                raise OSError

        install(site)
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Failing()])

        dispatcher.refresh()

        assert listed(dispatcher) == [("mine", "my-backend", "1.0")]


class TestTheSameDistributionTwiceOnThePath:
    @pytest.fixture
    def earlier(self, site, tmp_path, monkeypatch):
        """Another site that stands before the usual one."""
        folder = tmp_path / "earlier"
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        return type(site)(folder)

    def test_the_first_is_the_one_that_counts(self, site, earlier, dispatcher):
        install(site, version="1.0")
        install(earlier, version="2.0", modules={})
        assert listed(dispatcher) == [("mine", "my-backend", "2.0")]

    @pytest.mark.parametrize(
        ("distribution", "version"),
        [("my-backend", "1.0"), ("my-backend", "2.0"), ("My.Backend", "1.0"), (None, None)],
    )
    def test_a_first_one_without_backends_means_there_are_none(
        self, site, earlier, dispatcher, distribution, version
    ):
        install(site, version="1.0")
        if distribution:
            earlier.install(distribution, version=version)
        else:
            earlier.write("my_backend.egg-info/PKG-INFO", "Name: my-backend\nVersion: 3.0\n")
        assert dispatcher.backends() == ()

    def test_what_an_incomplete_removal_left_of_a_first_one_does_not_count(
        self, site, earlier, dispatcher
    ):
        install(site)
        (earlier.install("my-backend") / "METADATA").unlink()
        assert listed(dispatcher) == [("mine", "my-backend", "1.0")]

    def test_a_folder_that_is_on_the_path_under_two_names_counts_once(
        self, site, dispatcher, tmp_path, monkeypatch
    ):
        install(site)
        (tmp_path / "lib64").symlink_to(site.folder)
        monkeypatch.syspath_prepend(str(tmp_path / "lib64"))
        assert listed(dispatcher) == [("mine", "my-backend", "1.0")]
