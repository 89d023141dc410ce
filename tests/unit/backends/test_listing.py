"""What a host can say about its backends, with and without loading them."""

import importlib
import pickle
import shutil
import warnings
from pathlib import Path

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    BackendRegistrationWarning,
    UnknownBackendError,
    UntrustedBackendWarning,
)

OLD = """
    from types import SimpleNamespace
    name = "mine"
    def whoami(): return "old"
    old = SimpleNamespace(name=name, whoami=whoami)
"""


OLDER = ", and code of mine-backend 1.0 is loaded"


@pytest.fixture
def dispatcher(make_dispatcher):
    return make_dispatcher(
        untrusted="allow",
        trusted_backends={"fast": {"aliases": ["quick"], "package": "fast-backend"}},
    )


@pytest.fixture(autouse=True)
def installed(site):
    """A trusted backend, one that the host does not know, and a broken one."""
    for name, source in {
        "fast": "name = 'fast'\naliases = ['swift']",
        "mine": "name = 'canonical'\naliases = ['cuda']",
        "odd": "raise RuntimeError('no device')",
    }.items():
        module = f"{name}_module"
        site.install(f"{name}-backend", entry_points={name: module}, modules={module: source})


def test_listing_backends_imports_nothing_and_tells_who_is_trusted(site, dispatcher):
    found = {info.name: (info.state, info.trusted) for info in dispatcher.backends()}
    assert found == {
        "fast": ("installed", True),
        "mine": ("installed", False),
        "odd": ("installed", False),
    }
    assert site.imported() == set()


def test_a_listed_backend_tells_its_canonical_name_once_it_is_loaded(dispatcher):
    dispatcher.get_backend("cuda")
    found = {info.name: info.state for info in dispatcher.backends()}
    assert found == {"fast": "loaded", "canonical": "loaded", "odd": "installed"}


def test_what_is_available_are_the_names_and_labels_of_those_that_load(dispatcher):
    assert dispatcher.settings.available_backends() == ["canonical", "fast"]
    labels = ["canonical", "cuda", "fast", "mine", "quick", "swift"]
    assert dispatcher.available_backend_names() == labels


def test_every_available_name_leads_to_a_backend(site, dispatcher):
    point = "an entry point with spaces"
    site.backend(point, "name = 'spaced'", reference="spaced_module", distribution="spaced")
    for label in dispatcher.available_backend_names():
        assert dispatcher.get_backend(label) is not None
    assert "spaced" in dispatcher.available_backend_names()
    with pytest.raises(UnknownBackendError) as caught:
        dispatcher.get_backend("nobody")
    assert point not in caught.value.known


def test_discovering_loads_everything_once_and_selects_nothing(site, dispatcher):
    with pytest.warns(BackendRegistrationWarning) as given:
        dispatcher.discover()
    loaded = site.imported()
    with pytest.warns(BackendRegistrationWarning):
        dispatcher.discover()
    assert loaded == site.imported() == {"fast_module", "mine_module"}
    assert dispatcher.settings.backend == "cpu"
    assert [info.state for info in dispatcher.backends()] == ["loaded", "loaded", "broken"]
    (told,) = (str(warning.message) for warning in given)
    assert told.startswith(
        "Backend 'odd' of example_host (odd-backend 1.0): it is installed but could not be loaded: "
        "RuntimeError: no device. Fix or reinstall it"
    )


class TestRefreshing:
    def test_what_is_loaded_and_still_installed_stays(self, dispatcher):
        adapter = dispatcher.get_backend("mine")
        dispatcher.refresh()
        assert dispatcher.get_backend("mine") is adapter
        states = [info.state for info in dispatcher.backends()]
        assert states == ["installed", "loaded", "installed"]

    def test_a_refresh_that_warns_has_refreshed(self, site, dispatcher):
        dispatcher.get_backend("mine")
        (site.folder / "mine_backend-1.0.dist-info" / "entry_points.txt").unlink()
        site.install("evil", entry_points={"quick": "evil"})
        with pytest.raises(UntrustedBackendWarning):  # warnings are errors in these tests
            dispatcher.refresh()
        with pytest.raises(UnknownBackendError):
            dispatcher.get_backend("canonical")


class TestUpgrading:
    """A backend is upgraded while the process runs: what ran is told, not what is on disk."""

    def install(self, site, version, distribution="mine-backend", point="mine_module"):
        for folder in site.folder.glob("mine_*.dist-info"):
            shutil.rmtree(folder)
        source = f"name = 'mine'\ndef whoami(): return {version!r}"
        site.install(distribution, version=version, entry_points={"mine": point})
        site.write("mine_module.py", source)

    @pytest.mark.parametrize(
        ("distribution", "point", "told"),
        [
            ("mine-backend", "mine_module", ""),
            ("mine-backend", "mine_module:old", OLDER),
            ("mine-backend", "other_module", OLDER),
            ("mine-gpu", "mine_module", OLDER),
            ("mine-gpu", "mine_module:old", OLDER),
        ],
    )
    def test_code_that_was_there_before_keeps_its_release_whatever_leads_to_it(
        self, site, dispatcher, whoami, distribution, point, told
    ):
        self.install(site, "1.0")
        site.write("mine_module.py", OLD)
        assert whoami(backend="mine") == "old"
        self.install(site, "2.0", distribution, point)
        site.write("other_module.py", "from mine_module import name, whoami")
        dispatcher.refresh()
        with (
            pytest.warns(
                BackendRegistrationWarning, match=f"{distribution} 2.0 is installed{told}.*Restart"
            ),
            dispatcher.settings.trace() as trace,
        ):
            assert whoami(backend="mine") == "old"
        (record,) = trace.records
        assert (record.distribution, record.version) == ("mine-backend", "1.0")
        (info,) = (info for info in dispatcher.backends() if info.name == "mine")
        assert (info.distribution, info.state, info.version) == ("mine-backend", "loaded", "1.0")

    def test_what_the_loaded_code_lacks_is_no_damage_of_what_is_installed(self, site, dispatcher):
        self.install(site, "1.0")
        dispatcher.get_backend("mine")
        self.install(site, "2.0", point="mine_module:Adapter")
        dispatcher.refresh()
        with pytest.raises(
            BackendLoadError, match=r"code of mine-backend 1\.0 is loaded\. Restart"
        ):
            dispatcher.get_backend("mine")

    @pytest.mark.parametrize(("said", "recorded"), [("1.0", "1.0"), ("2", "2.0"), ("dev", "2.0")])
    @pytest.mark.parametrize("module", ["mine_module", "around.mine_module"])
    def test_code_that_was_imported_by_hand_has_the_version_that_it_says(
        self, site, dispatcher, whoami, module, said, recorded
    ):
        package = "import_me = 1" if module == "mine_module" else f"__version__ = {said!r}"
        source = f"__version__ = {said!r}\nname = 'mine'\ndef whoami(): return 'old'"
        self.install(site, "1.0", point=module)
        site.write("around/__init__.py", package)
        site.write(f"{module.replace('.', '/')}.py", source)
        importlib.import_module(module)
        self.install(site, "2.0", point=module)
        with warnings.catch_warnings(record=True) as told, dispatcher.settings.trace() as trace:
            warnings.simplefilter("always")
            assert whoami(backend="mine") == "old"
        assert trace.records[0].version == recorded
        assert len(told) == (recorded == "1.0")

    def test_what_has_no_folder_is_not_taken_for_upgraded(
        self, site, dispatcher, whoami, find_distributions, pack
    ):
        packed = pack("packed", "2.0", "packed = packed_module", Path)
        find_distributions(lambda context: [packed])
        source = "__version__ = '1.0'\nname = 'packed'\ndef whoami(): return 'packed'"
        site.write("packed_module.py", source)
        importlib.import_module("packed_module")
        with dispatcher.settings.trace() as trace:
            assert whoami(backend="packed") == "packed"
        assert trace.records[0].version == "2.0"

    def test_what_is_loaded_after_it_has_the_new_version(self, site, dispatcher, whoami):
        self.install(site, "1.0")
        assert "mine" in {info.name for info in dispatcher.backends()}
        self.install(site, "2.0")
        with dispatcher.settings.trace() as trace:
            assert whoami(backend="mine") == "2.0"
        assert [record.version for record in trace.records] == ["2.0"]
        (info,) = (info for info in dispatcher.backends() if info.name == "mine")
        assert info.version == "2.0"

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
    def test_a_snapshot_of_what_is_loaded_still_applies(self, site, dispatcher, whoami):
        self.install(site, "1.0")
        with dispatcher.settings.use_backend("mine"):
            pickled = pickle.dumps(dispatcher.settings.snapshot())
        self.install(site, "2.0")
        dispatcher.refresh()
        with pickle.loads(pickled):
            assert whoami() == "1.0"


@pytest.mark.parametrize("fact", ["name = 'not valid'", "name = 'own'; aliases = {'x': 1}"])
@pytest.mark.parametrize("look", ["available_backends", "available_backend_names"])
def test_what_an_adapter_says_of_itself_in_vain_is_told_by_all_that_look(
    site, dispatcher, fact, look
):
    site.backend("own", fact)
    owner = dispatcher if hasattr(dispatcher, look) else dispatcher.settings
    with pytest.warns(BackendRegistrationWarning, match=r"its `(name|aliases)`") as caught:
        assert "own" not in getattr(owner, look)()
    assert [told.message.backend for told in caught] == ["own"]
