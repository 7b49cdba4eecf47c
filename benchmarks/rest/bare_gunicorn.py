"""How gunicorn runs the bare views: as production runs the API, but for the hook into our app."""

import runpy
from pathlib import Path

_production = runpy.run_path(str(Path(__file__).parents[2] / "gunicorn.conf.py"))
_production.pop("post_worker_init")
globals().update({name: value for name, value in _production.items() if name[0] != "_"})
