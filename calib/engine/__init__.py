"""The calculating core: pure functions of numbers, knowing no instrument, database or clock."""
