"""GET /api/credits: what an instance has left, and when it gets more."""

from dataclasses import asdict
from typing import Any

from api import current, examples
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.schemas import CreditsSchema
from models import ledger

blp = Blueprint("credits", "/api/credits", "What may still be spent.", private=True)


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.response(200, CreditsSchema, example=examples.CREDITS, headers=CACHING)
@blp.refuses(304)
def show_credits() -> dict[str, Any]:
    """Show the balance, the plan and what an image costs that names no model."""
    account = asdict(ledger.account(current.instance()))
    price = current.settings().offers[0].credits
    revalidate(*map(str, account.values()), price)
    return account | {"credits_per_image": price}
