"""A package as a host: all that is public in it, decorated from outside and put wherever the package has it.

The environment variable `SUITE` names the package. Tests are imported after this, and so they find what
is decorated.
"""

import gc
import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "everything"))

from survey import public_callables

from scverse_backends import BackendDispatcher

package = os.environ["SUITE"]
dispatcher = BackendDispatcher(entrypoint_group="suites.backends", host_name=package)


def decorated(name, own):
    """Decorate a callable as its refusal advises; give None if it is refused all the same."""
    decorator = dispatcher.backend_class if isinstance(own, type) else dispatcher.backend_dispatch
    try:
        return decorator(name=name)(own)
    except (TypeError, ValueError) as error:
        return decorator(name=name, selector=None)(own) if "selector=None" in str(error) else None


def put(made):
    """Put what is decorated in the place of what was, in every module of the package.

    A table that a package has of its own functions learns of both.
    """
    top = package.partition(".")[0]
    for name, module in [*sys.modules.items()]:
        if f"{name}.".startswith(f"{top}."):
            for attribute, own in [*vars(module).items()]:
                if id(own) in made:
                    setattr(module, attribute, made[id(own)])
                elif type(own) is dict:
                    own.update([(made[id(k)], v) for k, v in own.items() if id(k) in made])


found = [*public_callables(package)]  # held, so that nothing else gets their identities
# From outside a class is made anew, and objects that are there would stay of the old one.
in_use = {type(one) for one in gc.get_objects()}
fresh = [(name, own) for name, own in found if not (type(own) is type and own in in_use)]
put({id(own): public for name, own in fresh if (public := decorated(name, own)) is not None})
classes = sum(isinstance(public, type) for public in dispatcher.dispatched.values())
counts = {"functions": len(dispatcher.dispatched) - classes, "classes": classes}
Path("decorated.json").write_text(json.dumps(counts), encoding="utf-8")
