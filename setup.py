"""For installers that read no pyproject.toml, where everything is said."""
from setuptools import setup

setup()
