"""Where a selection goes: runs a call in every engine that is installed, in every way, and writes the table.

``python benchmarks/engines.py`` prints the table from what ran, ``--write`` puts
it into engines.md. Engines that are not installed are said on standard error and keep their old rows. The host
is examples/example-host, with examples/example-host-accel.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import example_host as eh

PAGE = Path(__file__).parent / "engines.md"
BEGIN, END = "<!-- engines: begin -->", "<!-- engines: end -->"

Found = tuple[str, bool]
Way = tuple[str, Callable[[], Found]]
Engine = Callable[[], Iterator[Way]]


def ask(_: object = None) -> Found:
    """Say on which backend a call runs here, and whether this process says that one was lost."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend = eh.settings.explain(eh.normalize_total, [[1.0, 2.0]]).backend
    return backend, any("not carried here" in str(warning.message) for warning in caught)


def block():
    return eh.settings.use_backend("accelerated", fallback="error")


def snapshot():
    with block():
        return eh.settings.snapshot()


def bound():
    return snapshot().bind(ask)


def in_block(call: Callable[[], Found]) -> Callable[[], Found]:
    def run() -> Found:
        with block():
            return call()

    return run


@contextmanager
def for_all():
    eh.settings.backend = "accelerated"
    try:
        yield
    finally:
        del eh.settings.backend


AFTER = "nothing, started after `settings.backend = …`"


def threads() -> Iterator[Way]:
    def run(func, make=ThreadPoolExecutor):
        with make() as pool:
            return pool.submit(func).result()

    yield "nothing", in_block(lambda: run(ask))
    yield "`snapshot.bind(func)`", lambda: run(bound())
    yield (
        "`settings.executor(pool)`",
        in_block(lambda: run(ask, lambda: eh.settings.executor(ThreadPoolExecutor()))),
    )


def event_loop() -> Iterator[Way]:
    async def in_executor(func, pool=None):
        return await asyncio.get_running_loop().run_in_executor(pool, func)

    yield "nothing, `asyncio.to_thread`", in_block(lambda: asyncio.run(asyncio.to_thread(ask)))
    yield "nothing, `loop.run_in_executor`", in_block(lambda: asyncio.run(in_executor(ask)))
    yield "`snapshot.bind(func)`", lambda: asyncio.run(in_executor(bound()))
    pool = eh.settings.executor(ThreadPoolExecutor())
    yield "`settings.executor(pool)`", in_block(lambda: asyncio.run(in_executor(ask, pool)))


def process_pool(method: str) -> Engine:
    @contextmanager
    def pool(**options):
        with ProcessPoolExecutor(1, get_context(method), **options) as made:
            made.submit(os.getpid).result()
            yield made

    def run(func, **options):
        with pool(**options) as made:
            return made.submit(func).result()

    def started_before():
        with pool() as made, block():
            return made.submit(ask).result()

    def through_executor():
        with pool() as made, block():
            return eh.settings.executor(made).submit(ask).result()

    def ways() -> Iterator[Way]:
        yield "nothing, started inside the block", in_block(lambda: run(ask))
        yield "nothing, started before it", started_before
        yield "`snapshot.bind(func)`", lambda: run(bound())
        yield "`initializer=snapshot.apply`", lambda: run(ask, initializer=snapshot().apply)
        yield "`settings.executor(pool)`", through_executor

    return ways


def joblib_(backend: str) -> Engine:
    def ways() -> Iterator[Way]:
        import joblib
        from joblib.externals.loky import get_reusable_executor

        def run(func, **options):
            get_reusable_executor(max_workers=2).shutdown(wait=True)
            with joblib.parallel_config(backend, n_jobs=2, **options):
                return joblib.Parallel()(joblib.delayed(func)() for _ in range(2))[0]

        yield "nothing, started inside the block", in_block(lambda: run(ask))
        if backend == "loky":

            def started_before():
                run(os.getpid)
                with block(), joblib.parallel_config(backend, n_jobs=2):
                    return joblib.Parallel()(joblib.delayed(ask)() for _ in range(2))[0]

            yield "nothing, started before it", started_before
        yield "`joblib.delayed(snapshot.bind(func))(…)`", lambda: run(bound())
        if backend == "loky":
            yield (
                '`parallel_config("loky", initializer=snapshot.apply)`',
                lambda: run(ask, initializer=snapshot().apply),
            )

    return ways


def scikit_learn() -> Iterator[Way]:
    import joblib
    from joblib.externals.loky import get_reusable_executor
    from sklearn.base import BaseEstimator
    from sklearn.model_selection import cross_validate

    class Asking(BaseEstimator):
        def fit(self, _x, _y=None):
            self.found_ = ask()
            return self

        def score(self, _x, _y=None):
            return 1.0

    def run(**options):
        get_reusable_executor(max_workers=2).shutdown(wait=True)
        with joblib.parallel_config("loky", **options):
            scores = cross_validate(
                Asking(), [[1], [2], [3], [4]], cv=2, n_jobs=2, return_estimator=True
            )
        return scores["estimator"][0].found_

    yield "nothing, `n_jobs=2`", in_block(run)
    yield (
        '`parallel_config("loky", initializer=snapshot.apply)`',
        lambda: run(initializer=snapshot().apply),
    )


def dask_alone() -> Iterator[Way]:
    import dask

    lazy = dask.delayed(ask, pure=False)

    def run(scheduler, **config):
        with dask.config.set(config):
            return lazy().compute(scheduler=scheduler, num_workers=1)

    def with_pool(scheduler, make):
        with eh.settings.executor(make()) as pool, block():
            return run(scheduler, pool=pool)

    for scheduler in ("synchronous", "threads", "processes"):
        yield f'nothing, `scheduler="{scheduler}"`', in_block(lambda s=scheduler: run(s))
    yield (
        '`dask.config.set({"multiprocessing.initializer": snapshot.apply})`, processes',
        lambda: run("processes", **{"multiprocessing.initializer": snapshot().apply}),
    )
    yield (
        "`dask.config.set(pool=settings.executor(pool))`, threads",
        lambda: with_pool("threads", ThreadPoolExecutor),
    )
    yield (
        "the same, processes",
        lambda: with_pool(
            "processes", lambda: ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        ),
    )


def dask_distributed() -> Iterator[Way]:
    import dask
    from distributed import Client

    from scverse_backends.dask_plugin import carry_selection

    @contextmanager
    def cluster(*, carries=False):
        options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
        with Client(**options) as client:
            if carries:
                carry_selection(client, eh.settings)
            yield client

    def run(call, *, carries=False):
        with cluster(carries=carries) as client, block():
            return call(client)

    def started_after():
        with for_all(), cluster() as client:
            return client.submit(ask).result()

    def submit(client):
        return client.submit(ask).result()

    def compute(client):
        return client.compute(dask.delayed(ask)()).result()

    def run_on_workers(client):
        return next(iter(client.run(ask).values()))

    def run_bound(client):
        return next(iter(client.run(bound()).values()))

    yield "nothing, started before the block", lambda: run(submit)
    yield AFTER, started_after
    yield (
        "`snapshot.bind(func)`, `client.submit`",
        lambda: run(lambda c: c.submit(bound()).result()),
    )
    yield "`carry_selection(client, settings)`, `client.submit`", lambda: run(submit, carries=True)
    yield "the same, collections", lambda: run(compute, carries=True)
    yield "the same, `client.run`", lambda: run(run_on_workers, carries=True)
    yield "`client.run(snapshot.bind(func))`", lambda: run(run_bound)


def ray_() -> Iterator[Way]:
    import ray

    @contextmanager
    def started(**options):
        ray.init(num_cpus=1, include_dashboard=False, logging_level="error", **options)
        try:
            yield
        finally:
            ray.shutdown()

    def run(func, **options):
        with started(**options), block():
            return ray.get(ray.remote(func).remote())

    def started_after():
        with for_all(), started():
            return ray.get(ray.remote(ask).remote())

    def bound_there():
        @snapshot().bind
        def there():
            return ask()

        return run(there)

    hook = {"worker_process_setup_hook": snapshot().apply}
    yield "nothing, started before the block", lambda: run(ask)
    yield AFTER, started_after
    yield "`@ray.remote` above `@snapshot.bind`", bound_there
    yield (
        '`ray.init(runtime_env={"worker_process_setup_hook": snapshot.apply})`',
        lambda: run(ask, runtime_env=hook),
    )


def in_program(*arguments: str, by: tuple[str, ...] = (sys.executable,)) -> Found:
    """Run a part of this program in a program of its own."""
    command = [*by, os.path.abspath(__file__), *arguments]  # noqa: PTH100
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    backend, told = found.stdout.split()[-2:]
    return backend, told == "True"


@contextmanager
def spark_data():
    from pyspark.sql import SparkSession

    made = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = made.getOrCreate()
    try:
        yield session.sparkContext.parallelize([0], 1)
    finally:
        session.stop()


def spark_started_after() -> Found:
    with for_all(), spark_data() as data:
        return data.map(ask).collect()[0]


def spark() -> Iterator[Way]:
    import pyspark

    del pyspark

    def run(func):
        with spark_data() as data, block():
            return data.map(func).collect()[0]

    def started_after():  # in a process of its own, since each keeps the Java that it starts
        return in_program("--spark-after")

    yield "nothing, started before the block", lambda: run(ask)
    yield AFTER, started_after
    yield "`rdd.map(snapshot.bind(func))`", lambda: run(bound())


def mpi() -> Iterator[Way]:
    import mpi4py

    del mpi4py
    ranks = ("mpiexec", "-n", "2", sys.executable)

    yield "nothing, a block that every rank opens", lambda: in_program("--mpi-rank", by=ranks)

    def run(way):
        return in_program("--mpi-pool", way, by=(*ranks, "-m", "mpi4py.futures"))

    yield "nothing, `MPIPoolExecutor`", lambda: run("bare")
    yield (
        "nothing, `MPIPoolExecutor` without `mpiexec`, after `settings.backend = …`",
        lambda: in_program("--mpi-pool", "after"),
    )
    yield "`pool.submit(snapshot.bind(func))`", lambda: run("bound")
    yield "`MPIPoolExecutor(initializer=snapshot.apply)`", lambda: run("apply")


def in_mpi(way: str) -> Found:
    """Run the call on another rank of MPI, or on every rank."""
    if way == "--mpi-rank":
        from mpi4py import MPI

        with block():
            found = MPI.COMM_WORLD.gather(ask())
        return min(found) if found else ("", False)
    from mpi4py.futures import MPIPoolExecutor

    options = {"initializer": snapshot().apply} if way == "apply" else {}
    with for_all() if way == "after" else block(), MPIPoolExecutor(1, **options) as pool:
        return pool.submit(bound() if way == "bound" else ask).result()


def ipyparallel_() -> Iterator[Way]:
    import ipyparallel

    def run(func, before=None):
        with ipyparallel.Cluster(n=1, log_level=40) as client:
            view = client[:]
            view.use_cloudpickle()
            if before:
                view.apply_sync(before)
            with block():
                return tuple(view.apply_sync(func)[0])

    def started_after():
        with for_all(), ipyparallel.Cluster(n=1, log_level=40) as client:
            view = client[:]
            view.use_cloudpickle()
            return tuple(view.apply_sync(ask)[0])

    yield "nothing, started before the block", lambda: run(ask)
    yield AFTER, started_after
    yield "`view.apply(snapshot.bind(func))`", lambda: run(bound())
    yield "`view.apply(snapshot.apply)`, once", lambda: run(ask, snapshot().apply)


CELERY = """
import sys
from celery import Celery
sys.path.insert(0, {programs!r})
app = Celery("tasks", broker="filesystem://", backend="file://{folder}/results")
app.conf.broker_transport_options = {{
    "data_folder_in": "{folder}/queue", "data_folder_out": "{folder}/queue",
    "control_folder": "{folder}/control",
}}
@app.task
def bare():
    from engines import ask
    return ask()
@app.task
def carried(text):
    from engines import ask
    from scverse_backends.records import Snapshot
    with Snapshot.from_json(text):
        return ask()
"""


def celery_() -> Iterator[Way]:
    import importlib

    import celery

    del celery

    def run(name, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            for part in ("queue", "control", "results"):
                Path(folder, part).mkdir()
            module = f"tasks_of_celery_{name}"
            source = CELERY.format(folder=folder, programs=str(Path(__file__).parent))
            Path(folder, f"{module}.py").write_text(source, encoding="utf-8")
            sys.path.insert(0, folder)
            command = [
                sys.executable,
                "-m",
                "celery",
                "-A",
                module,
                "worker",
                "-c",
                "1",
                "-l",
                "ERROR",
            ]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            worker = subprocess.Popen(command, cwd=folder, **quiet)
            try:
                with block():
                    sent = getattr(importlib.import_module(module), name).delay(*arguments)
                    return tuple(sent.get(timeout=120))
            finally:
                worker.terminate()
                worker.wait(timeout=60)
                sys.path.remove(folder)

    yield "nothing", lambda: run("bare")
    yield (
        "`snapshot.to_json()` as an argument of the task",
        lambda: run("carried", snapshot().to_json()),
    )


ENGINES: dict[str, Engine] = {
    "`ThreadPoolExecutor`": threads,
    "`asyncio`": event_loop,
    "`ProcessPoolExecutor`, fork": process_pool("fork"),
    "`ProcessPoolExecutor`, spawn": process_pool("spawn"),
    "`ProcessPoolExecutor`, forkserver": process_pool("forkserver"),
    "joblib, threading": joblib_("threading"),
    "joblib, loky": joblib_("loky"),
    "scikit-learn": scikit_learn,
    "Dask without a cluster": dask_alone,
    "Dask, distributed": dask_distributed,
    "Ray": ray_,
    "Spark": spark,
    "MPI (mpi4py)": mpi,
    "ipyparallel": ipyparallel_,
    "Celery": celery_,
}


def said(found: Found) -> str:
    backend, told = found
    if backend != "cpu":
        return "carried"
    return "lost; the worker says so" if told else "lost in silence"


def rows(name: str, engine: Engine) -> list[str]:
    """Run one engine in each way; none if it is not installed."""
    try:
        ways = [*engine()]
    except ImportError as error:
        print(f"{name}: not run ({error})", file=sys.stderr)
        return []
    made = []
    for way, run in ways:
        try:
            outcome = said(run())
        except Exception as error:  # noqa: BLE001 - what failed is what the table would hide
            print(f"{name}, {way}: {type(error).__name__}: {error}", file=sys.stderr)
            return []
        made.append(f"| {name} | {way} | {outcome} |")
        print(made[-1], flush=True)
    return made


def write(table: list[str]) -> None:
    """Put rows into the page, in place of those of the same engines."""
    text = PAGE.read_text(encoding="utf-8")
    old = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip().splitlines()[2:]
    by_engine: dict[str, list[str]] = {}
    for row in table:
        by_engine.setdefault(row.split("|")[1].strip(), []).append(row)
    kept = {row.split("|")[1].strip() for row in old} - by_engine.keys()
    for row in old:
        if (name := row.split("|")[1].strip()) in kept:
            by_engine.setdefault(name, []).append(row)
    lines = [row for name in ENGINES for row in by_engine.get(name, [])]
    head = ["| engine | what was written | what came of it |", "| --- | --- | --- |"]
    new = "\n".join([BEGIN, *head, *lines, END])
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: new, text, flags=re.DOTALL), "utf-8")


def main(arguments: list[str]) -> None:
    if arguments[:1] in (["--mpi-rank"], ["--mpi-pool"], ["--spark-after"]):
        alone = arguments == ["--spark-after"]
        found = spark_started_after() if alone else in_mpi(arguments[-1])
        if found[0]:
            print(*found)
        return
    names = [name for name in arguments if not name.startswith("--")]
    wanted = {n: e for n, e in ENGINES.items() if not names or any(x in n for x in names)}
    for name, engine in wanted.items():
        table = rows(name, engine)
        if "--write" in arguments:
            write(table)


if __name__ == "__main__":
    main(sys.argv[1:])
