"""A label leads to one backend, found the cheapest way that is certain."""

import sys

import pytest

from scverse_backends.exceptions import (
    AmbiguousBackendError,
    BackendRegistrationWarning,
    UnknownBackendError,
)

TEN = [f"backend{number}" for number in range(10)]


@pytest.fixture
def ten(site):
    """Ten backends: `backend3` comes from `dist-backend3` and also calls itself `alias3`."""
    for number, name in enumerate(TEN):
        adapter(site, name, aliases=[f"alias{number}"])


def adapter(site, entry_point, *, name=None, aliases=(), distribution=None):
    """Install a backend in a module named after its entry point, which tells who it is."""
    distribution = distribution or f"dist-{entry_point}"
    module = distribution.replace("-", "_")
    source = f"""
        name = {name or entry_point!r}
        aliases = {list(aliases)!r}
        def whoami(): return {distribution!r}
    """
    site.install(distribution, entry_points={entry_point: module}, modules={module: source})


def asked(dispatcher, label):
    """Run a call on the backend that a label names, and hear who ran it."""
    whoami = dispatcher.backend_dispatch(name="whoami")(lambda: "host")
    return whoami(backend=label)


@pytest.mark.usefixtures("ten")
class TestTenBackends:
    @pytest.mark.parametrize("label", ["backend3", "BACKEND3", "Backend3"])
    def test_an_entry_point_name_imports_that_backend_and_no_other(self, site, dispatcher, label):
        assert asked(dispatcher, label) == "dist-backend3"
        assert site.imported() == {"dist_backend3"}

    @pytest.mark.parametrize("label", ["fast", "backend3", "Quick"])
    def test_a_trusted_name_or_alias_imports_that_backend_and_no_other(
        self, site, make_dispatcher, label
    ):
        trusted = {"fast": {"aliases": ["backend3", "quick"], "package": "dist-backend3"}}
        assert asked(make_dispatcher(trusted_backends=trusted), label) == "dist-backend3"
        assert site.imported() == {"dist_backend3"}

    def test_an_alias_asks_the_adapters_one_by_one_until_one_answers(self, site, dispatcher):
        assert asked(dispatcher, "alias3") == "dist-backend3"
        assert site.imported() == {f"dist_{name}" for name in TEN[:4]}

    def test_an_alias_asks_the_same_adapters_whatever_was_loaded_before(self, site, dispatcher):
        dispatcher.get_backend("backend7")
        dispatcher.get_backend("backend3")
        assert asked(dispatcher, "alias3") == "dist-backend3"
        assert site.imported() == {f"dist_{name}" for name in [*TEN[:4], "backend7"]}

    def test_a_label_that_nobody_has_asks_everyone_and_suggests_the_nearest(self, site, dispatcher):
        with pytest.raises(UnknownBackendError, match="Did you mean 'alias5'") as caught:
            dispatcher.get_backend("aliass5")
        assert site.imported() == {f"dist_{name}" for name in TEN}
        assert set(TEN) < set(caught.value.known)


def test_every_label_of_a_backend_leads_to_it(site, dispatcher):
    adapter(site, "entry", name="canonical", aliases=["alias", "Other.Alias"])
    for label in ("canonical", "alias", "other-alias", "entry", "CANONICAL"):
        assert asked(dispatcher, label) == "dist-entry"
    with dispatcher.settings.use_backend("entry"):
        assert dispatcher.settings.backend == "canonical"


class TestWhatALabelMeansDoesNotDependOnWhatHappenedBefore:
    """`first` claims, for itself, the name under which `second` is installed."""

    @pytest.fixture(params=["name", "alias"])
    def rivals(self, request, site):
        claim = {"name": "second"} if request.param == "name" else {"aliases": ["second"]}
        adapter(site, "first", **claim)
        adapter(site, "second")

    @pytest.mark.usefixtures("rivals")
    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
    @pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
    def test_a_label_means_the_same_after_its_rival_was_loaded(self, dispatcher, order):
        assert [asked(dispatcher, label) for label in order] == [f"dist-{label}" for label in order]


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
@pytest.mark.parametrize("before", [[], ["aa"], ["bb"], ["cc"], ["cc", "bb"], ["bb", "aa", "cc"]])
class TestThreeBackendsClaimOneAlias:
    """`aa`, `bb` and `cc` all claim ``fast``."""

    def load(self, dispatcher, names):
        for name in names:
            dispatcher.get_backend(name)

    def test_the_first_by_name_has_it(self, site, dispatcher, before):
        for name in ("cc", "bb", "aa"):
            adapter(site, name, aliases=["fast"])
        self.load(dispatcher, before)
        assert asked(dispatcher, "fast") == "dist-aa"

    def test_a_backend_with_a_manifest_comes_before_those_without(self, site, dispatcher, before):
        for name in ("cc", "bb", "aa"):
            adapter(site, name, aliases=["fast"])
        text = 'schema = 1\nname = "bb"\naliases = ["fast"]\n[functions.whoami]\nsignature = "()"\n'
        site.write("dist_bb.toml", text)
        self.load(dispatcher, before)
        assert asked(dispatcher, "fast") == "dist-bb"
        dispatcher.refresh()
        assert dispatcher.available_backend_names() == ["aa", "bb", "cc", "fast"]
        assert asked(dispatcher, "fast") == "dist-bb"
        with dispatcher.settings.use_backend("fast"):
            assert dispatcher.settings.backend == "bb"

    def test_a_name_that_all_give_themselves_is_the_first_ones(self, site, dispatcher, before):
        for name in ("cc", "bb", "aa"):
            adapter(site, name, name="fast")
        self.load(dispatcher, before)
        with dispatcher.settings.use_backend("fast"):
            assert dispatcher.settings.backend == "fast"
        asks = {"fast": "aa", "aa": "aa", "bb": "bb", "cc": "cc"}
        assert {label: asked(dispatcher, label)[5:] for label in asks} == asks
        assert dispatcher.settings.available_backends() == ["bb", "cc", "fast"]

    def test_what_is_selected_runs_although_another_gets_its_name(self, site, dispatcher, before):
        for name in ("cc", "bb", "aa"):
            adapter(site, name, name="fast")
        whoami = dispatcher.backend_dispatch(name="whoami")(lambda: "host")
        with dispatcher.settings.use_backend("cc"):
            assert whoami() == "dist-cc"
            self.load(dispatcher, before)
            assert whoami() == "dist-cc"


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
def test_a_backend_has_the_same_name_wherever_it_is_shown(site, dispatcher):
    adapter(site, "one", name="same")
    adapter(site, "two", name="same")
    available = dispatcher.settings.available_backends()
    assert sorted(info.name for info in dispatcher.backends()) == available
    for name in available:
        with dispatcher.settings.use_backend(name):
            assert dispatcher.settings.backend == name


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
def test_a_trusted_backend_runs_although_another_took_the_name_it_gives_itself(
    site, make_dispatcher
):
    adapter(site, "aaa", name="same", aliases=["other"])
    adapter(site, "fast", name="same")
    trusted = {"fast": {"package": "dist-fast"}}
    dispatcher = make_dispatcher(trusted_backends=trusted, untrusted="allow")
    assert asked(dispatcher, "other") == "dist-aaa"
    assert asked(dispatcher, "fast") == "dist-fast"


class TestTwoDistributionsClaimOneAlias:
    @pytest.fixture(autouse=True)
    def rivals(self, site):
        adapter(site, "one", aliases=["cuda"])
        adapter(site, "two", aliases=["cuda"])

    def test_the_other_is_told_once_that_it_does_not_have_it(self, dispatcher):
        told = "dist-one 1.0 also provides a backend named 'cuda' and keeps"
        with pytest.warns(BackendRegistrationWarning, match=told) as caught:
            dispatcher.discover()
            dispatcher.discover()
            dispatcher.settings.available_backends()
        (warning,) = caught
        assert (warning.message.distribution, warning.message.version) == ("dist-two", "1.0")
        assert asked(dispatcher, "cuda") == "dist-one"
        assert asked(dispatcher, "two") == "dist-two"

    def test_a_backend_that_loses_a_label_is_told_when_the_other_is_loaded(self, dispatcher):
        dispatcher.get_backend("two")
        with pytest.warns(BackendRegistrationWarning, match="dist-one 1.0 also") as caught:
            dispatcher.available_backend_names()
        (warning,) = caught
        assert warning.message.backend == "two"


def test_a_distribution_may_offer_one_adapter_under_two_names(site, dispatcher):
    source = """
        made = []
        class Adapter:
            name = "mine"
            def __init__(self): made.append(self)
    """
    points = dict.fromkeys(("mine", "cuda"), "my_adapter:Adapter")
    site.install("my-backend", entry_points=points, modules={"my_adapter": source})
    with dispatcher.settings.use_backend("cuda", "mine"):
        assert dispatcher.settings.backends == ("mine",)
    assert dispatcher.get_backend("cuda") is dispatcher.get_backend("mine")
    assert dispatcher.settings.available_backends() == ["mine"]
    assert len(sys.modules["my_adapter"].made) == 1


@pytest.mark.parametrize(("metadata", "reference"), [("", "other"), ("Name: a-backend\n", "")])
def test_of_two_with_one_entry_point_name_one_whose_metadata_are_damaged_is_the_second(
    site, dispatcher, metadata, reference
):
    adapter(site, "cuda", distribution="b-backend")
    folder = site.install("a-backend", entry_points={"cuda": reference})
    (folder / "METADATA").write_text(metadata)
    assert asked(dispatcher, "cuda") == "b-backend"


class TestTwoDistributionsHaveOneEntryPointName:
    """`a-backend` and `cuda` both have the entry point ``cuda``, and the host knows neither."""

    @pytest.fixture(autouse=True)
    def rivals(self, site):
        adapter(site, "cuda", distribution="a-backend", aliases=["fast"])
        adapter(site, "cuda", distribution="cuda", aliases=["swift"])

    @pytest.mark.parametrize("label", ["cuda", "CUDA"])
    def test_naming_it_raises_and_says_how_to_choose(self, site, dispatcher, label):
        with pytest.raises(AmbiguousBackendError, match=r"a-backend 1\.0 and cuda 1\.0") as caught:
            dispatcher.get_backend(label)
        assert caught.value.distributions == (("a-backend", "1.0"), ("cuda", "1.0"))
        assert "'a-backend'" in str(caught.value)
        assert "SCVERSE_BACKENDS_BLOCK=a-backend" in str(caught.value)
        assert site.imported() == set()

    def test_the_name_of_a_distribution_chooses_it(self, site, dispatcher):
        assert asked(dispatcher, "A_Backend") == "a-backend"
        assert site.imported() == {"a_backend"}

    def test_a_label_of_its_own_chooses_and_what_is_shown_names_one_of_them(self, dispatcher):
        assert asked(dispatcher, "fast") == "a-backend"
        assert asked(dispatcher, "swift") == "cuda"
        assert dispatcher.available_backend_names() == ["a-backend", "fast", "swift"]
        with dispatcher.settings.use_backend("fast"):
            assert dispatcher.settings.backend == "a-backend"
        with pytest.raises(AmbiguousBackendError):
            dispatcher.get_backend("cuda")

    def test_blocking_one_leaves_the_other(self, dispatcher, monkeypatch):
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "a-backend")
        assert asked(dispatcher, "cuda") == "cuda"

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendRegistrationWarning")
    @pytest.mark.parametrize("package", ["a-backend", "cuda"])
    def test_an_ambiguous_name_means_the_trusted_backend(self, make_dispatcher, package):
        trusted = {"quick": {"package": package}}
        dispatcher = make_dispatcher(trusted_backends=trusted, untrusted="allow")
        assert asked(dispatcher, "cuda") == package
        assert "cuda" in dispatcher.settings.available_backends()


def test_a_name_is_free_again_once_the_first_that_had_it_is_uninstalled(site, dispatcher):
    for name in ("bb", "aa"):
        adapter(site, name, name="fast")
    with pytest.warns(BackendRegistrationWarning, match="'fast' and keeps the name"):
        dispatcher.discover()
    with dispatcher.settings.use_backend("bb"):
        assert dispatcher.settings.backend == "bb"
    (site.folder / "dist_aa-1.0.dist-info" / "entry_points.txt").unlink()
    dispatcher.refresh()
    with dispatcher.settings.use_backend("bb"):
        assert dispatcher.settings.backend == "fast"


def test_an_entry_points_name_stays_with_what_the_host_trusts_and_that_is_said(
    site, make_dispatcher
):
    trusted = {"fast": {"package": "aa", "entrypoints": ["mine"]}}
    dispatcher = make_dispatcher(trusted_backends=trusted, untrusted="allow")
    adapter(site, "mine", name="fast", distribution="aa")
    adapter(site, "mine", name="two", distribution="bb")
    with pytest.warns(BackendRegistrationWarning, match="bb 1.0.*aa 1.0.*'mine' and keeps"):
        dispatcher.discover()
    assert asked(dispatcher, "mine") == "aa"


class TestTheNameOfADistribution:
    def test_is_a_label_of_its_backend(self, site, dispatcher):
        adapter(site, "cuda", distribution="my-backend")
        assert asked(dispatcher, "My.Backend") == "my-backend"
        assert dispatcher.available_backend_names() == ["cuda"]

    def test_names_nothing_where_there_are_two_backends(self, site, dispatcher):
        points = {"one": "module_one", "two": "module_two"}
        modules = {module: f"name = {name!r}" for name, module in points.items()}
        site.install("my-backend", entry_points=points, modules=modules)
        with pytest.raises(UnknownBackendError):
            dispatcher.get_backend("my-backend")

    def test_belongs_to_it_although_another_claims_it(self, site, dispatcher):
        adapter(site, "aa", aliases=["my-backend"])
        adapter(site, "cuda", distribution="my-backend")
        with pytest.warns(BackendRegistrationWarning, match="'my-backend' and keeps the name"):
            dispatcher.discover()
        assert asked(dispatcher, "my-backend") == "my-backend"
