"""The calls of scanpy's tutorials run where the documentation says, with what it says is configured."""

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "downstream" / "scanpy_calls" / "run.py"


def test_the_documented_tables_are_what_the_program_finds():
    done = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    written_out = re.findall(
        r"^\| all .*\| (\d+) of 105 \| (\d+) of 105 \|", done.stdout, re.MULTILINE
    )
    assert [tuple(map(int, counts)) for counts in written_out] == [(99, 103), (103, 103)]
