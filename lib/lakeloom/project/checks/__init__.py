"""The rules of `check`: each looks at one thing across entries, yielding what is wrong and where."""
