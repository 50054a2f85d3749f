"""What the integration tests stand on: real providers, real servers, a real browser, a person."""
