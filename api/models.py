"""GET /api/models: the models that may be ordered."""

from dataclasses import asdict
from typing import Any

from api import examples
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.option_schemas import ModelsSchema, price_list

blp = Blueprint("models", "/api/models", "What images can be made with.", private=True)


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.response(200, ModelsSchema, example=examples.MODELS, headers=CACHING)
@blp.refuses(304)
def list_models() -> dict[str, Any]:
    """List the models that may be ordered, what each takes, and what an image of it costs."""
    models = price_list().models
    revalidate(*map(asdict, models))
    return {"models": models}
