"""``manifest write`` and ``manifest check``."""

import shlex

import pytest

ADAPTER = '''
    name = "fast"
    aliases = {"swift", "quick"}
    renames = {"embed": {"rng": "seed"}}
    __all__ = ["embed", "fetch", "Model", "SIZES"]
    SIZES = [1, 2]

    def embed(data, *, seed=0, device="cuda"):
        """Embed.

        Parameters
        ----------
        data, seed
            Something.
        device : str
            Where to run,

            it's up to you.
        other
            Not a parameter.
        """

    async def fetch(key): ...

    class Model:
        def __init__(self, layers: int = 2): ...
    '''

WRITTEN = """\
# What this backend offers. Hosts read it here and need not import the backend.
# Written by: scverse-backends manifest write fast_cells.adapter
schema = 1
adapter = 'fast_cells.adapter'
name = 'fast'
aliases = ['quick', 'swift']
offers = 3

[renames.embed]
rng = 'seed'

[functions.embed]
signature = "(data, *, seed=0, device='cuda')"
parameters = '''
data
    Something.
seed
    Something.
device : str
    Where to run,

    it's up to you.
'''

[functions.fetch]
signature = '(key)'
coroutine = true

[classes.Model]
signature = '(layers: int = 2)'
"""


@pytest.fixture
def file(site):
    """Write the package of a backend; give where its manifest belongs."""
    site.write("fast_cells/__init__.py", "")
    return site.write("fast_cells/adapter.py", ADAPTER).with_suffix(".toml")


def test_a_manifest_is_written_beside_the_adapter(run, file):
    ran = run("manifest", "write", "fast_cells.adapter")
    assert (ran.status, ran.out, ran.err) == (0, f"wrote {file}\n", "")
    assert file.read_text(encoding="utf-8") == WRITTEN
    assert run("manifest", "check", "fast_cells.adapter").status == 0


def test_a_manifest_is_written_to_a_named_file_or_shown(run, file, tmp_path):
    assert run("manifest", "write", "fast_cells.adapter", "-o", "-").out == WRITTEN
    other = tmp_path / "other.toml"
    run("manifest", "write", "fast_cells.adapter", "--output", str(other))
    assert other.read_text(encoding="utf-8") == WRITTEN
    assert not file.exists()
    assert run("manifest", "check", "fast_cells.adapter", "-f", str(other)).status == 0


def test_a_manifest_that_is_out_of_date_fails_with_the_command_that_updates_it(run, file):
    said = WRITTEN.replace("seed=0", "seed=1").replace("fetch", "fetched")
    file.write_text(said, encoding="utf-8")
    ran = run("manifest", "check", "fast_cells.adapter")
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert "-signature = \"(data, *, seed=1, device='cuda')\"" in lines
    assert "+signature = \"(data, *, seed=0, device='cuda')\"" in lines
    assert "-[functions.fetched]" in lines
    assert lines[-1].endswith(
        "is out of date; update it with: scverse-backends manifest write fast_cells.adapter"
    )


def test_a_named_manifest_that_is_out_of_date_is_updated_where_it_is(run, file, tmp_path):
    other = tmp_path / "other one.toml"
    other.write_text(WRITTEN.replace("seed=0", "seed=1"), encoding="utf-8")
    ran = run("manifest", "check", "fast_cells.adapter", "-f", str(other))
    command = shlex.split(ran.out.splitlines()[-1].partition("scverse-backends ")[2])
    run(*command)
    assert other.read_text(encoding="utf-8") == WRITTEN


def test_another_layout_of_the_same_file_is_no_drift(run, file):
    head, _, rest = WRITTEN.partition("adapter = 'fast_cells.adapter'")
    file.write_text(f'{head}adapter = "fast_cells.adapter" # ours{rest}\n\n', encoding="utf-8")
    assert run("manifest", "check", "fast_cells.adapter").status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "is not there"), ("schema =", "cannot be read"), ("schema = 2", "has schema 2")],
)
def test_a_manifest_that_is_missing_or_broken_fails_the_check(run, file, text, said):
    if text is not None:
        file.write_text(text, encoding="utf-8")
    ran = run("manifest", "check", "fast_cells.adapter")
    assert ran.status == 1
    assert said in ran.out
    assert "manifest write fast_cells.adapter" in ran.out


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "it has no `name`"),
        ("name = 'fast'\n__all__ = ['gone']", "'gone', which cannot be fetched"),
    ],
)
@pytest.mark.parametrize("command", ["write", "check"])
def test_a_module_that_is_no_adapter_is_misuse(run, site, file, source, said, command):
    site.write("fast_cells/adapter.py", source)
    ran = run("manifest", command, "fast_cells.adapter")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not file.exists()


@pytest.mark.parametrize("adapter", ["nowhere.at.all", "nowhere", "sys"])
def test_an_adapter_that_is_in_no_folder_is_misuse(run, adapter):
    ran = run("manifest", "check", adapter)
    assert (ran.status, ran.out) == (2, "")
    assert adapter in ran.err


def test_an_interrupt_is_no_mistake_of_the_adapter(run, site, file):
    site.write("fast_cells/adapter.py", "raise KeyboardInterrupt")
    assert run("manifest", "write", "fast_cells.adapter").status == 130


def test_a_file_that_cannot_be_written_is_misuse(run, file, tmp_path):
    ran = run("manifest", "write", "fast_cells.adapter", "-o", str(tmp_path))
    assert ran.status == 2
    assert f"fast_cells.adapter: cannot open {tmp_path}: Is a directory" in ran.err


def test_an_adapter_whose_import_misses_a_library_is_told_so(run, site, file):
    site.write(
        "fast_cells/adapter.py", "raise OSError('libcuda.so: cannot open shared object file')"
    )
    ran = run("manifest", "write", "fast_cells.adapter")
    assert ran.status == 2
    assert "cannot import 'fast_cells.adapter' (OSError: libcuda.so: " in ran.err


def test_a_manifest_that_no_host_would_read_is_not_written(run, site):
    listed = ", ".join(f"p{number}" for number in range(700))
    functions = "\n".join(f"def f{number}({listed}): ..." for number in range(20))
    site.write("large.py", f"name = 'large'\n{functions}")
    ran = run("manifest", "write", "large")
    assert ran.status == 2
    assert "large: has more than 20000 words and signs in its signatures" in ran.err
    assert not (site.folder / "large.toml").exists()
