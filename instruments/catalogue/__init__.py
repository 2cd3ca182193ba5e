"""Type definitions: strict files in, frozen values out. Knows no calibration and no database."""
