"""The coder of pictures of 9 to 16 bits a sample, which learns all that it knows from the picture."""
