"""Print the lower bounds of pyproject.toml as pip's constraints, for the project and the extras that are named."""

import sys
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
wanted = list(project["dependencies"])
for extra in sys.argv[1:]:
    wanted += project["optional-dependencies"][extra]

for requirement in map(Requirement, wanted):
    if requirement.name == project["name"]:
        continue
    bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    if len(bounds) != 1:
        sys.exit(f"pyproject.toml: {requirement} must have one lower bound, NAME>=VERSION")
    print(f"{requirement.name}=={bounds[0]}")
