"""The project with tables that the API's tests use."""

from tests.api.conftest import home

__all__ = ["home"]
