"""The stand-in for Replicate: its API, and a model that retouches with Pillow."""
