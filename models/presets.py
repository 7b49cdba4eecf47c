"""Prompt presets: prompts with their options, by names that are the instance's own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ledger
from models.clock import now
from models.database import changed, reading, transaction
from models.errors import NotFound, PresetExists, TooManyPresets
from models.tables import PromptPreset

MOST_PRESETS = 100


@reading
def presets(session: Session, instance_id: int) -> Sequence[PromptPreset]:
    """An instance's presets by name, at most `MOST_PRESETS`."""
    own = select(PromptPreset).where(PromptPreset.instance_id == instance_id)
    return session.scalars(own.order_by(PromptPreset.name, PromptPreset.id)).all()


@reading
def preset(session: Session, instance_id: int, preset_id: int) -> PromptPreset:
    """One of them; raises `NotFound` also when it is another instance's."""
    return _own(session, instance_id, preset_id)


@transaction
def add(
    session: Session, instance_id: int, name: str, prompt: str, options: dict[str, Any]
) -> PromptPreset:
    """Put a new preset by; raises `PresetExists` and `TooManyPresets`.

    The lock on the instance lets two of its requests not both find room for the last one.
    """
    ledger.lock(session, instance_id)
    own = select(func.count()).where(PromptPreset.instance_id == instance_id)
    if session.scalars(own).one() >= MOST_PRESETS:
        raise TooManyPresets(f"An instance may have {MOST_PRESETS} presets: delete one first.")
    row = PromptPreset(instance_id=instance_id, name=name, prompt=prompt, options=options)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise _taken(name) from error
    return _own(session, instance_id, row.id)


@transaction
def replace(
    session: Session,
    instance_id: int,
    preset_id: int,
    name: str,
    prompt: str,
    options: dict[str, Any],
) -> PromptPreset:
    """Give a preset these contents instead; raises `NotFound` and `PresetExists`."""
    own = update(PromptPreset).where(
        PromptPreset.id == preset_id, PromptPreset.instance_id == instance_id
    )
    new = own.values(name=name, prompt=prompt, options=options, updated_at=now())
    try:
        with session.begin_nested():
            changed(session, new)
    except IntegrityError as error:
        raise _taken(name) from error
    return _own(session, instance_id, preset_id)


@transaction
def remove(session: Session, instance_id: int, preset_id: int) -> None:
    """Delete a preset; raises `NotFound`."""
    own = delete(PromptPreset).where(
        PromptPreset.id == preset_id, PromptPreset.instance_id == instance_id
    )
    if not changed(session, own):
        raise _unknown(preset_id)


def _own(session: Session, instance_id: int, preset_id: int) -> PromptPreset:
    own = select(PromptPreset).where(
        PromptPreset.id == preset_id, PromptPreset.instance_id == instance_id
    )
    found = session.scalar(own.execution_options(populate_existing=True))
    if found is None:
        raise _unknown(preset_id)
    return found


def _unknown(preset_id: int) -> NotFound:
    return NotFound(f"There is no preset {preset_id}.")


def _taken(name: str) -> PresetExists:
    return PresetExists(
        f"There is a preset {name!r} already: change that one, or take another name."
    )
