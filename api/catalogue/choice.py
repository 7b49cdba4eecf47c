"""Which catalogue the settings name."""

from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from api.catalogue.errors import CatalogueNotConnected
from api.catalogue.interface import Catalogue
from api.catalogue.json_file import JsonFile
from api.catalogue.wix import Wix
from config.settings import Settings

NOT_CONNECTED = "No shop is connected. Choose images by their addresses instead."


class NoCatalogue:
    """Stands where `CATALOGUE_URL` is empty: images are chosen by their addresses."""

    def shelf(self, *_wish: object) -> NoReturn:
        """Say that there is none."""
        raise CatalogueNotConnected(NOT_CONNECTED)

    def product(self, *_wish: object) -> NoReturn:
        """Say that there is none."""
        raise CatalogueNotConnected(NOT_CONNECTED)


def open_catalogue(settings: Settings) -> Catalogue:
    """Return what `CATALOGUE_URL` means; nothing is read or asked yet."""
    if settings.catalogue_url.startswith("file:"):
        return JsonFile(Path(unquote(urlsplit(settings.catalogue_url).path)))
    if settings.catalogue_url:
        base_url = settings.catalogue_url.removeprefix("wix+").rstrip("/")
        return Wix(base_url, settings.wix_app_id, settings.wix_app_secret)
    return NoCatalogue()
