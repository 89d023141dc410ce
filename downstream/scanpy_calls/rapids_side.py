"""What rapids-singlecell would write: its adapter for scanpy."""

import inspect

import rapids_singlecell as rsc

name = "rapids-singlecell"
aliases = ["rapids", "cuda"]
# Quality measures are always written into the data.
fixed = {"pp.calculate_qc_metrics": {"inplace": True}}


def can_run(function, arguments):
    """Decline what the graphs of rapids cannot be."""
    if function == "tl.leiden" and arguments.get("directed"):
        return "clusters graphs without directions"
    return True


def taking(func, parameter):
    """Let a function take one more parameter, which `can_run` has looked at."""

    def with_parameter(*args, **kwargs):
        kwargs.pop(parameter.name, None)
        return func(*args, **kwargs)

    own = inspect.signature(func)
    with_parameter.__signature__ = own.replace(parameters=[*own.parameters.values(), parameter])
    return with_parameter


class tl:  # noqa: N801 - a namespace, as scanpy's is
    """The tools of rapids, of which one takes a parameter of scanpy's."""

    leiden = staticmethod(
        taking(
            rsc.tl.leiden,
            inspect.Parameter("directed", inspect.Parameter.KEYWORD_ONLY, default=None),
        )
    )


get, pp = rsc.get, rsc.pp
for tool, found in vars(rsc.tl).items():
    if not hasattr(tl, tool):
        setattr(tl, tool, staticmethod(found))
