"""What Darkroom costs and how fast it is, beside what a user would pick instead: `make bench`."""
