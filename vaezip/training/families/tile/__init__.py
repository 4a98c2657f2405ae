"""The family of tile models: pixels are independent given z."""
