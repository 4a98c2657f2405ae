"""Hold the conformance set, and run decoders over it."""
