"""Asking Wix in the name of one shop: with an access token of its installation of our app."""

import re
from typing import Any

import structlog

from api.catalogue.errors import CatalogueNotConnected, CatalogueUnavailable
from api.catalogue.kept import Kept
from api.catalogue.wix_wire import Answer, WixWire

log = structlog.get_logger(__name__)

# A token lives four hours at Wix. One that is about to expire could do so on the way.
MARGIN = 300.0
LONGEST_LIFE = 86_400
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
REFUSED = "The shop at Wix does not let Darkroom in. Install the Darkroom app there again."


class WixAccess:
    """Sends requests with a shop's token, which is asked for when there is none and when Wix does
    not take it any more. Two threads may both ask for one; either is good."""

    def __init__(self, wire: WixWire, app_id: str, app_secret: str) -> None:
        self._wire = wire
        self._app = {"client_id": app_id, "client_secret": app_secret}
        self._tokens: Kept[str] = Kept()

    def ask(self, shop: str, method: str, path: str, **what: Any) -> Answer:
        """Return Wix's answer: a good one, or a refusal that is not about who asks.

        Raises `CatalogueNotConnected` where Wix does not let us in, `CatalogueUnavailable`.
        """
        token = self._tokens.get(shop)
        if token:
            answer = self._send(token, method, path, what)
            if answer.status != 401:
                return _let_in(answer)
            self._tokens.drop(shop, token)
        return _let_in(self._send(self._new_token(shop), method, path, what))

    def _send(self, token: str, method: str, path: str, what: dict[str, Any]) -> Answer:
        return self._wire.send(method, path, headers={"Authorization": f"Bearer {token}"}, **what)

    def _new_token(self, shop: str) -> str:
        """OAuth client credentials: the instance id says for which installation."""
        wish = {"grant_type": "client_credentials", **self._app, "instance_id": shop}
        answer = self._wire.send("POST", "/oauth2/token", json=wish)
        if answer.status != 200:
            log.warning("wix gives no token", status=answer.status, error=_word(answer))
            raise CatalogueNotConnected(REFUSED)
        token, seconds = answer.document.get("access_token"), answer.document.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise CatalogueUnavailable("Wix, POST /oauth2/token: an answer without a token")
        if isinstance(seconds, int):
            self._tokens.put(shop, token, min(max(seconds, 0), LONGEST_LIFE) - MARGIN)
        return token


def _let_in(answer: Answer) -> Answer:
    if answer.status in {401, 403}:
        raise CatalogueNotConnected(REFUSED)
    return answer


def _word(answer: Answer) -> str:
    """What OAuth calls the error, like `invalid_client`; a free text could echo the secret."""
    word = answer.document.get("error")
    return word if isinstance(word, str) and re.fullmatch(r"[a-z_]{1,40}", word) else "unknown"
