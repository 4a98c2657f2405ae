"""Wrap the operating system: files, signals, threads.  This room knows nothing of pictures."""
