"""Know the operating system, and nothing of pictures: files, signals, threads."""
