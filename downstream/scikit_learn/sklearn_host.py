"""Scikit-learn as a host: its estimators, decorated from outside, so that scikit-learn is unchanged."""

import sys

from sklearn.utils import all_estimators

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(
    entrypoint_group="sklearn.backends",
    host_name="sklearn",
    trusted_backends={"sklearnex": {"package": "scikit-learn-intelex"}},
    ignorable=("n_jobs", "verbose"),
)

# What cannot be decorated from outside, each with the reason that it was given.
refused = {}


def replace(old, new):
    """Put a class that was made anew in the place of the old one, wherever scikit-learn knows it."""
    modules = [module for name, module in sys.modules.items() if name.startswith("sklearn.")]
    for module in modules:
        for name in [name for name, value in vars(module).items() if value is old]:
            setattr(module, name, new)


for _, estimator in all_estimators():
    try:
        made = dispatcher.backend_class(
            name=f"{estimator.__module__.split('.')[1]}.{estimator.__name__}"
        )(estimator)
    except TypeError as error:
        refused[estimator.__name__] = str(error)
    else:
        if made is not estimator:
            replace(estimator, made)

__all__ = ["dispatcher", "refused"]
