"""start.py FOLDER scheduler|worker ...: a part of Dask, after what is in FOLDER to break it."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    folder, what = sys.argv[1:3]
    del sys.argv[1:3]
    if (script := Path(folder, f"{what}.py")).exists():
        exec(script.read_text())
    runpy.run_module(f"distributed.cli.dask_{what}", run_name="__main__", alter_sys=True)
