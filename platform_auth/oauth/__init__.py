"""How to get in: flows, discovery, tokens and the one transport they all use.

Everything but `transport` and `driver` is free of I/O: a flow is a generator that yields what it
wants done (`steps`) and is handed the outcome, so that all of it can be tested without a network.
"""
