"""The machine: its threads, its memory and the limits of its cgroup, its signals.

Must not use any other part of the project.
"""
