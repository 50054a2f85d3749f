"""Programs that use a platform for a while, many of them at once, and tell how it went.

Each is started as ``python -m load.NAME``: ours, and two that keep their tokens in a store that
processes share, too. Standard input: an `Order`, then the time to begin. Standard output:
``ready``, then a `Tally`.
"""
