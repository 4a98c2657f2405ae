"""The family of pixel models: each pixel is predicted from those before it, and from z."""
