"""The conductor: pictures to blocks to a file, and back; it asks no model its kind."""
