"""Read and write PNG, the pixels and the metadata."""
