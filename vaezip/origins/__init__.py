"""Find what a picture was before, and make it of that again."""
