"""The .vz file: bytes to typed records and back; this room knows no model."""
