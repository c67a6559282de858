"""Damaged files, thousands of them, given to the command as a user gives them: `make fuzz`.

An input is a small plan, plain data: a kind of file, a sound start, the changes to its structure
and to its bytes. Hypothesis draws the plans; the same seed gives the same ones. Workers carry them
out and run the command; the parent watches for hangs and crashes and keeps what went wrong.
"""
