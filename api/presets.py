"""/api/prompt-presets: prompts with their options, put by for later orders."""

from collections.abc import Sequence
from typing import Any

from api import current, examples
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, TEXT, Blueprint
from api.preset_schemas import PresetContentSchema, PresetSchema, PresetsSchema
from models import presets
from models.tables import PromptPreset

ROUTE = "/api/prompt-presets"
LOCATION = {"Location": {"description": "Where the preset is.", "schema": TEXT}}

blp = Blueprint("prompt-presets", ROUTE, "Put prompts by, with their options.", private=True)


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.response(200, PresetsSchema, example=examples.PRESETS, headers=CACHING)
@blp.refuses(304)
def list_presets() -> dict[str, Sequence[PromptPreset]]:
    """List the instance's presets by name."""
    found = presets.presets(current.instance())
    revalidate(*map(_facts, found))
    return {"presets": found}


@blp.route("", methods=["POST"])
@blp.arguments(PresetContentSchema, example=examples.PRESET_CONTENT)
@blp.response(201, PresetSchema, example=examples.PRESET, headers=LOCATION)
@blp.refuses(409, 415)
def add_preset(content: dict[str, Any]) -> tuple[PromptPreset, dict[str, str]]:
    """Put a preset by under a name that the instance has not used."""
    added = presets.add(current.instance(), **content)
    return added, {"Location": current.url(f"{ROUTE}/{added.id}")}


@blp.route("/<id:preset_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, PresetSchema, example=examples.PRESET, headers=CACHING)
@blp.refuses(304, 404)
def show_preset(preset_id: int) -> PromptPreset:
    """Show a preset."""
    found = presets.preset(current.instance(), preset_id)
    revalidate(_facts(found))
    return found


@blp.route("/<id:preset_id>", methods=["PUT"])
@blp.arguments(PresetContentSchema, example=examples.PRESET_CONTENT)
@blp.response(200, PresetSchema, example=examples.PRESET)
@blp.refuses(404, 409, 415)
def replace_preset(content: dict[str, Any], preset_id: int) -> PromptPreset:
    """Give a preset another content, name included: what is left out is gone."""
    return presets.replace(current.instance(), preset_id, **content)


@blp.route("/<id:preset_id>", methods=["DELETE"])
@blp.response(204)
@blp.refuses(404)
def delete_preset(preset_id: int) -> None:
    """Delete a preset."""
    presets.remove(current.instance(), preset_id)


def _facts(preset: PromptPreset) -> list[object]:
    """All that is shown: SQLite's clock may stand still between two changes."""
    return [preset.id, preset.name, preset.prompt, preset.options, preset.updated_at.isoformat()]
