"""Instances and their bearer tokens, of which only hashes are stored."""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from config.plans import PLANS
from models import audit, ledger
from models.clock import now
from models.database import changed, lookup, reading, transaction
from models.errors import AlreadyExists, NotFound
from models.tables import INSTANCES, Instance

# Marks a leaked token as ours to people and to scanners.
PREFIX = "dk_"
_OF_TOKEN = select(INSTANCES.c.id).where(
    INSTANCES.c.token_hash == bindparam("token_hash"), INSTANCES.c.disabled_at.is_(None)
)


def _new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """A token is 256 random bits: a plain hash cannot be searched, and a lookup by it is exact."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction
def create(
    session: Session,
    name: str,
    plan: str,
    wix_instance_id: str | None = None,
    by: str | None = None,
) -> tuple[Instance, str]:
    """Create an instance with its first month's credits; return it and its token, never kept.

    `by`, here and below, is the operator whom the audit shall name. Raises `AlreadyExists` for a
    taken name and `NotFound` for an unknown plan.
    """
    if plan not in PLANS:
        raise NotFound(f"There is no plan {plan}: choose one of {', '.join(PLANS)}.")
    if session.scalar(select(Instance.id).where(Instance.name == name)):
        raise AlreadyExists(f"There is an instance {name} already.")
    token = _new_token()
    instance = Instance(
        name=name,
        plan=plan,
        token_hash=hash_token(token),
        balance=0,
        reset_month="",
        due_items=0,
        wix_instance_id=wix_instance_id,
    )
    session.add(instance)
    session.flush()
    ledger.book_reset(session, instance)
    facts = {"plan": plan, "wix_instance": wix_instance_id}
    audit.write(session, by, "instances create", name, **facts)
    return instance, token


@transaction
def rotate_token(session: Session, name: str, by: str | None = None) -> str:
    """Give an instance a new token, from now on its only one."""
    token = _new_token()
    statement = update(Instance).where(Instance.name == name).values(token_hash=hash_token(token))
    if not changed(session, statement):
        raise NotFound(f"There is no instance {name}.")
    audit.write(session, by, "instances rotate-token", name)
    return token


@transaction
def connect(
    session: Session, name: str, wix_instance_id: str | None, by: str | None = None
) -> None:
    """Let an instance see the products of this installation of the Wix app, or of none.

    Raises `NotFound` for an unknown name.
    """
    statement = update(Instance).where(Instance.name == name)
    if not changed(session, statement.values(wix_instance_id=wix_instance_id)):
        raise NotFound(f"There is no instance {name}.")
    action = "instances connect" if wix_instance_id else "instances disconnect"
    audit.write(session, by, action, name, wix_instance=wix_instance_id)


@reading
def wix_instance_id(session: Session, instance_id: int) -> str | None:
    """Return the installation of the Wix app that an instance is connected to, if it is to one."""
    return session.scalar(select(Instance.wix_instance_id).where(Instance.id == instance_id))


@transaction
def disable(session: Session, name: str, by: str | None = None) -> None:
    """Refuse an instance's token and its orders from now on.

    What it has waiting is canceled by `lifecycle.cancel_waiting`; what was sent is finished.
    """
    # It is out of the line for good, however many of its images run.
    statement = update(Instance).where(Instance.name == name)
    if not changed(session, statement.values(disabled_at=now(), held_at=None)):
        raise NotFound(f"There is no instance {name}.")
    audit.write(session, by, "instances disable", name)


@lookup
def authenticate(connection: Connection, token: str) -> int | None:
    """Return the id of the active instance that a bearer token belongs to."""
    return connection.scalar(_OF_TOKEN, {"token_hash": hash_token(token)})


@reading
def find(session: Session, name: str) -> Instance:
    """Return the instance of that name; raises `NotFound`."""
    instance = session.scalar(select(Instance).where(Instance.name == name))
    if instance is None:
        raise NotFound(f"There is no instance {name}.")
    return instance


@reading
def everyone(session: Session) -> Sequence[Instance]:
    """All instances in the order in which they were created."""
    return session.scalars(select(Instance).order_by(Instance.id)).all()
