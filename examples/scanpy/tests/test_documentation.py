"""What the documentation shows a user of scanpy runs as it stands there."""

import re
import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "scanpy.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCK.findall(PAGE.read_text(encoding="utf-8")))
def test_the_page_runs(code, tmp_path):
    script = tmp_path / "analysis.py"
    script.write_text(code, encoding="utf-8")
    runpy.run_path(str(script))
