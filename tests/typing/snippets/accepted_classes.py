"""What a user of a dispatched class may write."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, InitVar, dataclass, replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar, assert_type

from scverse_backends import BackendDispatcher
from scverse_backends.typing import Labels

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")


@dispatcher.backend_class
class Model:
    def __init__(self, n_components: int) -> None:
        self.n_components = n_components

    def fit(self, data: list[float]) -> "Model":
        return self


class Special(Model):
    pass


def a_class_stays_a_class(model: Model) -> None:
    assert_type(Model(3).fit([1.0]), Model)
    assert_type(model.n_components, int)
    assert_type(Special(3), Special)


@dispatcher.backend_class
class Described:
    if TYPE_CHECKING:

        def __init__(self, n_components: int, *, backend: Labels | None = None) -> None: ...

    else:

        def __init__(self, n_components: int) -> None:
            self.n_components = n_components


@dispatcher.backend_class(selector="engine", parameter_aliases={"levels": "depth"})
@dataclass
class Forest:
    depth: int = 3
    if TYPE_CHECKING:
        _: KW_ONLY
        engine: InitVar[Labels | None] = None


def a_class_that_describes_its_selector_is_built_with_it() -> None:
    assert_type(Described(3, backend="cuda"), Described)
    assert_type(Described(n_components=3, backend=["cuda", "cpu"]), Described)
    assert_type(Forest(4, engine="cuda"), Forest)
    assert_type(Forest().depth, int)


T = TypeVar("T")


@dispatcher.backend_class(name="models.Tree", ignorable=["n_jobs"], selector="engine")
@dataclass(frozen=True)
class Tree:
    depth: int = 3
    n_jobs: int = 1


@dispatcher.backend_class
class Box(Generic[T]):
    def __init__(self, content: T) -> None:
        self.content = content


@dispatcher.backend_class()
class Base(ABC):
    @classmethod
    def default(cls) -> Self:
        return cls()

    @abstractmethod
    def fit(self) -> int: ...


class Derived(Base):
    def fit(self) -> int:
        return 1


def every_kind_of_class_stays_what_it_is() -> None:
    assert_type(Tree(depth=2).depth, int)
    assert_type(replace(Tree(), depth=4), Tree)
    assert_type(Box("x").content, str)
    assert_type(Box[int](3), Box[int])
    assert_type(Derived.default(), Derived)


def it_goes_where_a_class_goes(model: object) -> None:
    kinds: list[type[Model]] = [Model, Special]
    if isinstance(model, Model):
        assert_type(model, Model)
    build: Callable[[int], Model] = Model
    assert_type(build(len(kinds)), Model)
