"""Run scikit-learn's own classes on scikit-learn-intelex, and compare results and times.

    python downstream/scikit_learn/run.py            10,000 rows, where that does not take too long
    python downstream/scikit_learn/run.py --part     2,000 rows, in a minute or so
    python downstream/scikit_learn/run.py --write    and write the table for the documentation

It needs this library, scikit-learn and scikit-learn-intelex, which knows nothing of us. Its modules are
the adapter as they are. The exit status is 1 if a class is not the backend's where `sklearnex` is selected,
if `clone`, `pickle` or `GridSearchCV` make another one of it, or if its results are not the host's.
"""

import argparse
import importlib
import logging
import pickle
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import sklearn
from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.datasets import make_blobs
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn_host import dispatcher, refused

from scverse_backends.testing import verify

TABLE = Path(__file__).parent / "table.md"
BACKEND = "sklearnex"
ALIKE = 0.95
PARAMETERS = {
    "cluster.DBSCAN": {"eps": 8.0},
    "cluster.KMeans": {"n_clusters": 5, "n_init": 3},
    "decomposition.PCA": {"n_components": 3, "svd_solver": "full"},
    "manifold.TSNE": {"max_iter": 250},
}
SLOW, FEW_ROWS = ("manifold.TSNE", "svm."), 2000
THEIRS = (BACKEND, "daal4py")  # both belong to scikit-learn-intelex


def adapter():
    """Make the adapter: the modules of scikit-learn-intelex, which are named as scikit-learn's."""
    spaces = {}
    for space in {name.partition(".")[0] for name in dispatcher.dispatched}:
        try:
            spaces[space] = importlib.import_module(f"{BACKEND}.{space}")
        except ModuleNotFoundError:
            continue  # nothing in there is made faster
    return SimpleNamespace(name=BACKEND, **spaces)


def made(name):
    """Construct a class with what this comparison sets."""
    cls = dispatcher.dispatched[name]
    seeded = {"random_state": 0} if "random_state" in cls._get_param_names() else {}
    return cls(**seeded, **PARAMETERS.get(name, {}))


def fitted(name, data, target):
    """Construct and fit; give the object and how long fitting took."""
    found = made(name)
    wanted = np.sqrt(target + 1.0) if is_regressor(found) else target
    started = time.perf_counter()
    found.fit(data, wanted)
    return found, time.perf_counter() - started


def result(found, data):
    """Give what an object found in data, in a form that can be compared."""
    if hasattr(found, "kneighbors") and not hasattr(found, "predict"):
        return found.kneighbors(data)[1]
    if hasattr(found, "predict") or hasattr(found, "labels_"):
        return found.predict(data) if hasattr(found, "predict") else found.labels_
    if hasattr(found, "embedding_"):
        return np.array(trustworthiness(data, found.embedding_))
    return np.abs(
        found.transform(data) if hasattr(found, "transform") else found.negative_outlier_factor_
    )


def agreement(host, backend, data):
    """Tell how far two results are the same: 1 is entirely."""
    ours, theirs = result(host, data), result(backend, data)
    if is_clusterer(host):
        return adjusted_rand_score(ours, theirs)
    if is_classifier(host) or ours.dtype.kind == "i":
        return float(np.mean(ours == theirs))
    return 1 - float(np.mean(np.abs(ours - theirs)) / max(np.ptp(ours), 1.0))


def mistakes(name, host, backend, data, target):
    """Say what is not as it would be without us."""
    kind = type(backend)
    if not kind.__module__.startswith(THEIRS):
        yield f"is {kind.__module__}.{kind.__name__}"
    if type(host).__module__.startswith(THEIRS):
        yield "is the backend's although nothing is selected"
    copies = {"clone": clone(backend), "pickle": pickle.loads(pickle.dumps(backend))}  # noqa: S301 - our own
    if hasattr(backend, "predict"):
        search = GridSearchCV(made(name), {}, cv=2).fit(data[:500], target[:500])
        copies["GridSearchCV"] = search.best_estimator_
    for what, copy in copies.items():
        if type(copy) is not kind:
            yield f"{what} makes {type(copy).__name__} of it"
    if agreement(backend, copies["pickle"], data) < 1:
        yield "gives other results after pickle"


def compare(name, rows):
    """Compare one class; give its line, and what is wrong."""
    rows = min(rows, FEW_ROWS) if name.startswith(SLOW) else rows
    data, target = make_blobs(rows, 20, centers=5, cluster_std=2.0, random_state=0)
    host, on_host = fitted(name, data, target)
    with dispatcher.settings.use_backend(BACKEND, fallback="silent"):
        backend, on_backend = fitted(name, data, target)
        wrong = [*mistakes(name, host, backend, data, target)]
    alike = agreement(host, backend, data)
    wrong += [] if alike >= ALIKE else [f"agrees in {alike:.3f}"]
    return f"| {name} | {rows} | {alike:.3f} | {on_host:.2f} s | {on_backend:.2f} s |", wrong


def main():
    """Compare every class that the backend has, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", action="store_true", help="with few rows")
    parser.add_argument("--write", action="store_true", help="write the table")
    options = parser.parse_args()
    logging.getLogger(BACKEND).setLevel(logging.ERROR)
    dispatcher.register(adapter())
    found = verify(dispatcher, BACKEND)
    total, count = len(dispatcher.dispatched), len(found.implemented)
    summary = (
        f"With scikit-learn {sklearn.__version__}: {total} classes are dispatched, {len(refused)} cannot "
        f"be from outside, and scikit-learn-intelex has {count} of them. `verify` finds "
        f"{len(found.failures()) or 'no'} errors."
    )
    lines = [
        summary,
        "",
        "| class | rows | agreement | scikit-learn | scikit-learn-intelex |",
        "| --- | --- | --- | --- | --- |",
    ]
    print(*lines, sep="\n")
    failed = bool(found.failures())
    for name in found.implemented:
        line, wrong = compare(name, FEW_ROWS if options.part else 10_000)
        lines.append(line)
        failed = failed or bool(wrong)
        print(line, *wrong, sep="\n  ", flush=True)
    if options.write:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
