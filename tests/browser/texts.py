"""Texts as long as the API takes them, with markup in them: pages show them as they are."""

MARKUP = '<img src=x onerror="alert(1)"><b>bold</b> &amp; <script>alert(2)</script>'
PRODUCT_NAME = (f"{MARKUP} " + "Espresso cup with a very long name, " * 9)[:255].rstrip()
# Nothing in it where a line may end.
IMAGE_ID = (MARKUP.replace(" ", "_") + "cup" * 85)[:255]
PROMPT = (f"{MARKUP} " + "white background, brighter, " * 80)[:2000].rstrip()
