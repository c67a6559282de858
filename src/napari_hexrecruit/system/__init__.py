"""The machine: its threads, its memory and the limits of its cgroup, its signals.

Must not know anything of the project.
"""
