"""A worker that was given nothing of what was selected says so, once; where nothing is lost, nothing is said."""

import ast
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

TASKS = """
    import warnings
    import {name} as host
    def calls():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ran = [host.where(), host.where()]
        return ran, [(str(one.message), one.filename, type(one.message).__name__) for one in caught]
    def calls_and_failing():
        warnings.simplefilter("error")
        ran = []
        for _ in range(2):
            try: ran.append(host.where())
            except Warning as error: ran.append(type(error).__name__)
        return ran
    def set_host(): host.settings.backend = "cpu"
    def in_process_of_its_own():
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(calls).result()
"""


@pytest.fixture
def tasks(world):
    world.site.write(f"{world.name}_tasks.py", TASKS.format(name=world.name))
    return __import__(f"{world.name}_tasks")


@pytest.fixture
def host(tasks):
    return tasks.host


@pytest.fixture
def run():
    """Run something in a worker that starts here and now."""

    def run(func, method="spawn", **options):
        with ProcessPoolExecutor(1, multiprocessing.get_context(method), **options) as pool:
            return pool.submit(func).result()

    return run


PROGRAMS = {
    "ray/_private/workers/default_worker.py": "'worker_process_setup_hook': settings.snapshot().apply",
    "pyspark.daemon": "rdd.map(settings.snapshot().bind(func))",
    "ipyparallel.engine": "view.apply(settings.snapshot().apply)",
    "mpi4py.futures.server": "MPIPoolExecutor(initializer=settings.snapshot().apply)",
}


@pytest.fixture
def run_program(world, tasks, run_python):
    """Run something in a program that an engine would start here and now as its worker."""

    def run(program):
        path = program if program.endswith(".py") else f"{program.replace('.', '/')}.py"
        source = f"import {tasks.__name__} as tasks; print(tasks.calls())"
        script = world.site.write(path, source)
        finished = run_python(*([script] if path == program else ["-m", program]))
        assert finished.stderr == ""
        return ast.literal_eval(finished.stdout)

    return run


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_worker_says_once_what_it_was_not_given_and_how_it_would_be(host, tasks, run, method):
    with host.settings.use_backend("fast", "cpu"):
        ran, told = run(tasks.calls, method)
    assert ran == ["cpu", "cpu"]
    ((text, file, kind),) = told
    assert (kind, file) == ("BackendSelectionWarning", tasks.__file__)
    assert f"'fast' was selected for {host.__name__} where this worker process was started" in text
    assert "initializer=settings.snapshot().apply" in text
    assert "settings.backend = 'cpu'" in text


def test_a_warning_that_is_an_error_stops_one_call_only(host, tasks, run):
    with host.settings.use_backend("fast"):
        assert run(tasks.calls_and_failing) == ["BackendSelectionWarning", "cpu"]


def test_nothing_is_said_of_the_host_or_of_a_block_that_has_ended(host, tasks, run):
    with host.settings.use_backend("fast"):
        pass
    assert run(tasks.calls) == (["cpu", "cpu"], [])
    host.settings.backend = {"where": ["other", "fast"]}
    with host.settings.use_backend("cpu"):
        assert run(tasks.calls) == (["cpu", "cpu"], [])
    _, ((text, *_),) = run(tasks.calls)
    assert "'other', 'fast' was selected" in text


@pytest.mark.parametrize("way", ["apply", "bind"])
def test_nothing_is_said_where_the_selection_was_carried(host, tasks, run, way):
    with host.settings.use_backend("fast"):
        snapshot = host.settings.snapshot()
        found = (
            run(tasks.calls, initializer=snapshot.apply)
            if way == "apply"
            else run(snapshot.bind(tasks.calls))
        )
    assert found == (["fast 1.0", "fast 1.0"], [])


def test_nothing_is_said_where_the_worker_selects_by_itself(host, tasks, run, monkeypatch):
    with host.settings.use_backend("fast"):
        assert run(tasks.calls, initializer=tasks.set_host) == (["cpu", "cpu"], [])
        monkeypatch.setenv(f"{host.__name__.upper()}_BACKEND", "other")
        assert run(tasks.calls) == (["other 1.0", "other 1.0"], [])
        monkeypatch.delenv(f"{host.__name__.upper()}_BACKEND")
        monkeypatch.setenv("SCVERSE_BACKENDS_OFF", "1")
        assert run(tasks.calls) == (["cpu", "cpu"], [])


def test_a_forked_worker_keeps_the_block(host, tasks, run):
    with host.settings.use_backend("fast"):
        assert run(tasks.calls, "fork") == (["fast 1.0", "fast 1.0"], [])


def test_a_process_that_is_no_worker_is_told_nothing(world, run_python):
    script = world.site.write(
        "starter.py",
        f"""
        import multiprocessing, os, subprocess, sys
        import {world.name} as host
        before = dict(os.environ)
        code = "import {world.name} as host; print(host.where())"
        command = [sys.executable, "-W", "error", "-c", code]
        with host.settings.use_backend("fast"):
            subprocess.run(command, check=True)
        assert dict(os.environ) == before
        host.settings.backend = "fast"
        subprocess.run(command, check=True)
        """,
    )
    finished = run_python(script)
    assert (finished.stdout, finished.stderr) == ("cpu\ncpu\n", "")


def test_a_worker_whose_main_module_imports_the_host_says_it_too(world, run_python):
    script = world.site.write(
        "main_script.py",
        f"""
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        import {world.name} as host
        if __name__ == "__main__":
            for label in ("fast", "cpu"):
                with host.settings.use_backend(label):
                    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                        print(pool.submit(host.ask).result())
        """,
    )
    finished = run_python(script)
    assert finished.stdout == "cpu\ncpu\n"
    assert finished.stderr.count("BackendSelectionWarning: 'fast' was selected") == 1


def test_a_worker_says_it_whose_pool_was_imported_between_two_blocks(world, run_python):
    script = world.site.write(
        "late_pool.py",
        f"""
        import {world.name} as host
        if __name__ == "__main__":
            with host.settings.use_backend("fast"):
                pass  # multiprocessing is not imported here, unless coverage is measured
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context
            with host.settings.use_backend("fast"):
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    print(pool.submit(host.ask).result())
        """,
    )
    finished = run_python(script)
    assert finished.stdout == "cpu\n"
    assert finished.stderr.count("BackendSelectionWarning: 'fast' was selected") == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_an_engine_says_once_what_its_starter_selects_for_all(
    host, tasks, run_program, program
):
    host.settings.backend = ["other", "fast"]
    ran, ((text, file, kind),) = run_program(program)
    assert ran == ["cpu", "cpu"]
    assert (kind, file) == ("BackendSelectionWarning", tasks.__file__)
    assert f"'other', 'fast' was selected for {host.__name__}" in text
    assert PROGRAMS[program] in text
    del host.settings.backend


def test_programs_are_told_nothing_of_a_block_or_of_what_holds_no_more(host, run_program):
    with host.settings.use_backend("fast"):
        host.settings.backend = "other"
        assert run_program("pyspark.daemon") == (["cpu", "cpu"], [])
    for end in (
        lambda: setattr(host.settings, "backend", "cpu"),
        lambda: delattr(host.settings, "backend"),
    ):
        host.settings.backend = "fast"
        end()
        assert run_program("pyspark.daemon") == (["cpu", "cpu"], [])


def test_programs_of_nobodys_are_told_nothing(host, run_program):
    host.settings.backend = "fast"
    assert run_program("mine.daemon") == (["cpu", "cpu"], [])
    del host.settings.backend
