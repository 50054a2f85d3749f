"""Who keeps a sign-in alive: the broker, its faces' shared protocol, and how to ask it."""
