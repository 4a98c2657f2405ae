"""What a picture was before: an origin is a short description, and an exact map from planes to samples."""
