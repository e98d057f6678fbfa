"""The stages of `make setup`, one a file; standard library only, since they run before anything is installed."""
