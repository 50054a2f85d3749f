"""What unit tests put in the place of the world: a provider, a clock, certificates, bad servers."""
