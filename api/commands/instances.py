"""`instances create|connect|disconnect|list|cap|disable|rotate-token`: who may use the service."""

import json
from uuid import UUID

import click

from api.commands.acting import acting
from api.commands.advice import SEE_INSTANCES, Commands, advise
from api.commands.output import show
from config.plans import PLANS
from models import accounts, caps, lifecycle
from models.tables import Instance

instances = Commands("instances", help="Make instances (the installed apps of shops) and tokens.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


class Name(click.ParamType[str]):
    """The name of an instance: 1 to 255 printable characters without a space at either end."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what the database or a terminal could not show again."""
        if value != value.strip() or not value.isprintable() or not 0 < len(value) <= 255:
            self.fail("a name is 1 to 255 printable characters, no space at its ends", param, ctx)
        return value


@instances.command("create")
@click.argument("name", type=Name())
@click.option("--plan", type=click.Choice(list(PLANS)), default="free", show_default=True)
@click.option(
    "--wix-instance", type=click.UUID, help="The Wix app's instance id on the shop's site."
)
@as_json
@acting
def create(name: str, plan: str, wix_instance: UUID | None, as_json: bool, actor: str) -> None:
    """Create an instance and print its token, which is shown this once and kept nowhere."""
    with advise("Choose another name, or give it a new token: instances rotate-token."):
        shop = str(wix_instance) if wix_instance else None
        instance, token = accounts.create(name, plan, shop, actor)
    facts = {"id": instance.id, "name": name, "plan": plan, "credits": instance.balance}
    _print_token(facts, token, as_json)


@instances.command("connect")
@click.argument("name")
@click.option(
    "--wix-instance",
    type=click.UUID,
    required=True,
    help="The Wix app's instance id on the shop's site.",
)
@acting
def connect(name: str, wix_instance: UUID, actor: str) -> None:
    """Show an instance the products of a Wix shop: of this one alone."""
    with advise(SEE_INSTANCES):
        accounts.connect(name, str(wix_instance), actor)
    click.echo(f"{name} sees the products of the Wix instance {wix_instance}.")


@instances.command("disconnect")
@click.argument("name")
@acting
def disconnect(name: str, actor: str) -> None:
    """Show an instance no Wix shop's products any more; its jobs and results stay."""
    with advise(SEE_INSTANCES):
        accounts.connect(name, None, actor)
    click.echo(f"{name} sees no products of a Wix instance any more.")


@instances.command("rotate-token")
@click.argument("name")
@as_json
@acting
def rotate_token(name: str, as_json: bool, actor: str) -> None:
    """Give an instance a new token; the old one is refused from now on."""
    with advise(SEE_INSTANCES):
        token = accounts.rotate_token(name, actor)
    _print_token({"name": name}, token, as_json)


def _print_token(facts: dict[str, object], token: str, as_json: bool) -> None:
    """Only the token goes to standard output, so that `TOKEN=$(flask …)` works."""
    click.echo(json.dumps(facts | {"token": token}) if as_json else token)
    click.echo("Keep this token now: it is not shown again.", err=True)


@instances.command("cap")
@click.argument("name")
@click.option("--running", type=click.IntRange(min=1), help="The most images that run at a time.")
@click.option("--waiting", type=click.IntRange(min=1), help="The most images that may wait.")
@click.option("--none", "neither", is_flag=True, help="Take both caps away.")
@acting
def cap(name: str, running: int | None, waiting: int | None, neither: bool, actor: str) -> None:
    """Bound what an instance has at a time; a cap that is not named stays as it is.

    Above --waiting its orders are refused (429 queue_full), with nothing charged.
    """
    if neither == bool(running or waiting):
        raise click.UsageError("Give --running, --waiting or both, or else --none.")
    with advise(SEE_INSTANCES):
        now = accounts.find(name)
        if not neither:
            running, waiting = running or now.max_running, waiting or now.max_waiting
        caps.set_caps(name, running, waiting, actor)
    click.echo(f"{name}: {_bound(running)} running, {_bound(waiting)} waiting.")


def _bound(number: int | None) -> str:
    return "any number" if number is None else f"at most {number}"


@instances.command("list")
def list_instances() -> None:
    """List every instance: its plan, credits, what it has waiting, its caps, and its shop's Wix
    instance."""
    columns = ("id", "name", "plan", "credits", "waiting", "state", "may run", "may wait",
               "created", "shop")  # fmt: skip
    show(columns, map(_row, accounts.everyone()))


def _row(instance: Instance) -> tuple[object, ...]:
    return (
        instance.id,
        instance.name,
        instance.plan,
        instance.balance,
        instance.due_items,
        _state(instance),
        instance.max_running,
        instance.max_waiting,
        instance.created_at,
        instance.wix_instance_id,
    )


def _state(instance: Instance) -> str:
    if instance.erased_at:
        # The name goes last.
        return "erased" if instance.name == f"erased-{instance.id}" else "half erased"
    return "disabled" if instance.disabled_at else "active"


@instances.command("disable")
@click.argument("name")
@acting
def disable(name: str, actor: str) -> None:
    """Refuse an instance's token and cancel what it has waiting; what was sent is finished."""
    with advise(SEE_INSTANCES):
        accounts.disable(name, actor)
    canceled = _cancel_waiting(accounts.find(name).id)
    click.echo(f"The token of {name} is refused from now on.")
    click.echo(f"{canceled} waiting images were canceled and refunded.", err=True)


def _cancel_waiting(instance_id: int) -> int:
    """Page by page, so that nobody waits long for the locks."""
    canceled = 0
    while page := lifecycle.cancel_waiting(instance_id):
        canceled += page
    return canceled
