"""The project with tables that the API's tests use, for the command line."""

from tests.api.conftest import home

__all__ = ["home"]
