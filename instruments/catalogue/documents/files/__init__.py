"""The register of governing documents that comes with the program."""
