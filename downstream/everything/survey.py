"""Decorate the public callables of one package, look at what became of them, and print that as JSON.

    python downstream/everything/survey.py scipy

Nothing of the package is called. A class is changed where it stands, so each package is surveyed in a
process of its own.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import time
import typing
import warnings
from contextlib import redirect_stdout
from difflib import ndiff

from scverse_backends import BackendDispatcher

STANDARD = "stdlib"
# Standard modules that do something when they are imported, or are no library.
NOT_IMPORTED = {"antigravity", "idlelib", "lib2to3", "this", "tkinter", "turtle", "turtledemo"}
SKIPPED = ("test", "conftest", "setup", "__main__", "_")

dispatcher = BackendDispatcher(entrypoint_group="everything.backends", host_name="everything")
SELECTOR = "backend"


def modules(package):
    """Import the public modules of a package, as far as this machine can."""
    if package == STANDARD:
        names = sorted(sys.stdlib_module_names - NOT_IMPORTED)
        yield from filter(None, (load(name) for name in names if not name.startswith("_")))
        return
    pending = [package]
    while pending:
        name = pending.pop(0)
        module = load(name)
        if module is None:
            continue
        yield module
        inner = pkgutil.iter_modules(vars(module).get("__path__", ()))
        pending += [f"{name}.{found.name}" for found in inner if not found.name.startswith(SKIPPED)]


def load(name):
    """Import a module; one that cannot be imported here has nothing to show."""
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001 - a missing optional package raises anything
        return None


def public_callables(package):
    """Give the public functions and classes of a package, each once, by a dispatch name."""
    seen = {}
    for module in modules(package):
        for name, found in own_names(module, package):
            if callable(found) and id(found) not in seen and is_there(found):
                # Held, so that no other object gets its identity.
                seen[id(found)] = found
                yield f"{module.__name__}.{name}", found


def own_names(module, package):
    """Give what a module itself offers, not what it imported for its own use."""
    listed = vars(module).get("__all__")
    names = dir(module) if listed is None else listed
    for name in names:
        found = vars(module).get(name)
        home = home_of(found) or module.__name__
        at_home = package == STANDARD or f"{home}.".startswith(f"{package}.")
        is_own = listed is not None or home == module.__name__
        if at_home and is_own and not name.startswith("_"):
            yield name, found


def is_there(found):
    """Whether it can be looked at; what stands for something that is not installed raises."""
    return isinstance(attempt(lambda: dir(found)), list)


def home_of(found):
    """Give the module that an object says it is from; others may say anything, or raise."""
    home = attempt(lambda: found.__module__)
    return home if isinstance(home, str) else ""


def survey(package):
    """Decorate all of them: functions first, for a class is changed where it stands."""
    found = [*public_callables(package)]
    functions = [(name, one) for name, one in found if not inspect.isclass(one)]
    classes = [(name, one) for name, one in found if inspect.isclass(one)]
    return {
        "functions": decorate(functions, dispatcher.backend_dispatch, faults_of_function),
        "classes": decorate(classes, dispatcher.backend_class, faults_of_class),
    }


def decorate(found, decorator, faults):
    """Decorate some callables, and say what was refused and what changed."""
    refused, faulty, spent, accepted, otherwise = {}, {}, 0.0, 0, 0
    for name, own in found:
        before = look(own)
        started = time.process_time()
        try:
            public = decorator(name=name)(own)
        except (TypeError, ValueError) as error:
            if "selector=None" in str(error):
                # The way out that the refusal tells of.
                public = decorator(name=name, selector=None)(own)
                changed = faults(before, own, public, selector=None)
                otherwise += 1
            else:
                refused[name] = str(error)
                changed = changes(before, look(own))
        else:
            spent += time.process_time() - started
            accepted += 1
            changed = faults(before, own, public)
        if changed:
            faulty[name] = changed
    counts = {"accepted": accepted, "without selector": otherwise}
    return {**counts, "refused": refused, "faulty": faulty, "seconds": spent}


def look(own):
    """Take down what users see of a callable."""
    return {
        "docstring": docstring(own),
        "signature": attempt(lambda: inspect.signature(own)),
        "hints": attempt(lambda: hints(own)),
        "names": [str(attempt(lambda n=name: getattr(own, n))) for name in NAMES],
        "class": type(own),
        "attributes": {name: attempt(lambda n=name: getattr(own, n)) for name in dir(own)},
        "kind": [ask(own) for ask in KINDS],
    }


def hints(own):
    """Give the type hints of a callable; those of its class are about something else."""
    tables = [vars(kind).get("__annotations__") for kind in type(own).__mro__]
    found = getattr(own, "__annotations__", None)
    is_of_class = any(found is table for table in tables if table is not None)
    return {} if is_of_class else typing.get_type_hints(own)


def docstring(own):
    """Give the docstring that a callable has, or inherits as a method."""
    found = inspect.getdoc(own) if inspect.ismethod(own) else attempt(lambda: own.__doc__)
    return inspect.cleandoc(found) if isinstance(found, str) else None


NAMES = ("__module__", "__name__", "__qualname__")
KINDS = (
    inspect.isbuiltin,
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isfunction,
)


def attempt(ask):
    """Ask; an error is an answer too."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - foreign code raises anything
        return type(error)


def changes(before, after):
    """Say what differs of a callable that was refused."""
    same = {key: before[key] == after[key] for key in ("docstring", "names", "kind")}
    same["class"] = before["class"] is after["class"]  # a metaclass may compare in any way
    return [f"refused, and its {key} changed" for key, kept in same.items() if not kept]


# Of the function itself, and not of what users see.
OF_THE_FUNCTION = {
    *dir(object),
    "__annotate__",
    "__annotations__",
    "__builtins__",
    "__call__",
    "__closure__",
    "__code__",
    "__defaults__",
    "__dict__",
    "__get__",
    "__globals__",
    "__kwdefaults__",
    "__signature__",
    "__type_params__",
    "__wrapped__",
}


def faults_of_function(before, own, public, selector=SELECTOR):
    """Say what an accepted function lost."""
    after = look(public)
    faults = [*damage(before["docstring"], after["docstring"])]
    faults += changed_signature(before["signature"], after["signature"], selector)
    faults += changed_hints(before["hints"], after["hints"], selector)
    faults += lost_attributes(before, after, OF_THE_FUNCTION)
    if not isinstance(public, type(own)) and not inspect.ismethod(own):
        faults.append(f"is no {type(own).__name__} any more")
    if before["kind"] != after["kind"]:
        faults.append("inspect says that it is another kind of function")
    return faults


def faults_of_class(before, own, public, selector=SELECTOR):
    """Say what an accepted class lost."""
    put_back(own, public)
    after = look(public)
    faults = [*damage(before["docstring"], after["docstring"])]
    # Of one that only passes on what it gets, the first base is shown that says what it takes.
    if not only_passes_on(before["signature"]):
        faults += changed_signature(before["signature"], after["signature"], selector)
    faults += lost_attributes(before, after, ())
    if before["names"] != after["names"]:
        faults.append("is called otherwise")
    return faults


def put_back(own, public):
    """Put a class that was made anew where the old one was, as a decorator does."""
    home = sys.modules.get(own.__module__)
    is_ours = own.__module__.partition(".")[0] in sys.stdlib_module_names  # this program runs on it
    if not is_ours and getattr(home, own.__name__, None) is own:
        setattr(home, own.__name__, public)


def lost_attributes(before, after, of_no_interest):
    """Say which attributes are lost; one that could not be read before is none."""
    there = {name for name, value in before["attributes"].items() if value is not AttributeError}
    lost = there.difference(after["attributes"], of_no_interest)
    return [f"attributes: lost {name}" for name in sorted(lost)]


def damage(before, after):
    """Say how a docstring is damaged: anything but an entry for the selector was changed."""
    if before == after:
        return
    texts = ([line.rstrip() for line in (text or "").splitlines()] for text in (before, after))
    lines = [*ndiff(*texts)]
    added = [line[2:].strip() for line in lines if line.startswith("+ ")]
    if any(line.startswith("- ") and line.strip() != "-" for line in lines):
        yield "docstring: lines are lost"
    if not any(
        line.startswith((SELECTOR, f":param {SELECTOR}", f"- {SELECTOR}")) for line in added
    ):
        yield f"docstring: something else was added: {added}"


def changed_signature(before, after, selector):
    """Say how a signature changed, but for the selector."""
    if not isinstance(after, inspect.Signature):
        yield f"signature: cannot be read any more ({after})"
        return
    parameters = dict(after.parameters)
    if selector and parameters.pop(selector, None) is None:
        yield "signature: has no selector"
    without = after.replace(parameters=[*parameters.values()])
    # Defaults such as NaN and arrays equal nothing.
    if isinstance(before, inspect.Signature) and str(without) != str(before):
        yield f"signature: was {before}, is {after}"


def only_passes_on(signature):
    """Whether it says nothing but that anything is taken."""
    if not isinstance(signature, inspect.Signature):
        return False
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(parameter.kind in variadic for parameter in signature.parameters.values())


def changed_hints(before, after, selector):
    """Say how type hints changed, but for the selector."""
    if isinstance(before, dict):
        kept = dict(after) if isinstance(after, dict) else {}
        kept.pop(selector, None)
        if kept != before:
            yield f"hints: were {before}, are {after}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with redirect_stdout(sys.stderr):  # some packages print when they are imported
        found = survey(sys.argv[1])
    json.dump(found, sys.stdout)
