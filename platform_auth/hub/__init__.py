"""The Hub's service: all users' sign-ins in one place, for any number of replicas."""
