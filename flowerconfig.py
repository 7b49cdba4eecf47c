"""How Flower runs here."""
