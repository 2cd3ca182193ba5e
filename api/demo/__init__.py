"""The demo world: small, realistic, every certificate in it truly issued through the services."""
