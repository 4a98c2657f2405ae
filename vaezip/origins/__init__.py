"""Map planes that pictures were before to their colours, exactly, and search for such planes."""
