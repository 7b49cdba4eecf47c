"""`credits grant|show`: an instance's balance and why it is what it is."""

import uuid

import click

from api.commands.acting import acting
from api.commands.advice import SEE_INSTANCES, Commands, advise
from api.commands.output import show
from models import accounts, ledger
from models.errors import InsufficientCredits
from models.tables import Instance

LARGEST = 10**12
RESERVED = ("charge:", "refund:", "reset:")

credits = Commands("credits", help="Grant and show credits.")


@credits.command("grant", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("amount", type=click.IntRange(-LARGEST, LARGEST))
@click.option("--reference", help="Booked once only, whoever repeats it: an invoice number, say.")
@acting
def grant(name: str, amount: int, reference: str | None, actor: str) -> None:
    """Add AMOUNT credits to an instance, or take them if AMOUNT is negative."""
    if not amount:
        raise click.BadParameter("0 credits change nothing.", param_hint="AMOUNT")
    instance = _named(name)
    reference = _checked(reference) or f"grant:{instance.id}:{uuid.uuid4()}"
    with advise("Give another --reference to book it again."):
        try:
            balance = ledger.grant(instance.id, amount, reference, actor)
        except InsufficientCredits as error:
            raise click.ClickException(f"{name} has only {error.balance} credits.") from error
    click.echo(f"{name} has {balance} credits now. Booked as {reference}.")


@credits.command("show")
@click.argument("name")
@click.option("--last", type=click.IntRange(1, 1000), default=10, show_default=True)
def show_credits(name: str, last: int) -> None:
    """Show an instance's balance, plan, next reset and last entries."""
    instance = _named(name)
    account = ledger.account(instance.id)
    show(
        ("instance", "balance", "plan", "monthly", "resets"),
        [(name, account.balance, account.plan, account.monthly_allotment, account.resets_at)],
    )
    click.echo()
    show(
        ("when", "kind", "amount", "balance", "reference"),
        (
            (e.created_at, e.kind, f"{e.amount:+d}", e.balance_after, e.reference)
            for e in ledger.entries(instance.id, last)
        ),
    )


def _named(name: str) -> Instance:
    with advise(SEE_INSTANCES):
        return accounts.find(name)


def _checked(reference: str | None) -> str | None:
    if reference is not None and not (reference.isprintable() and 0 < len(reference) <= 255):
        raise click.BadParameter("1 to 255 printable characters.", param_hint="--reference")
    if reference is not None and reference.startswith(RESERVED):
        # Booked by hand, it would keep a job from being charged or an image from being refunded.
        raise click.BadParameter(
            f"{', '.join(RESERVED)} begin the service's own.", param_hint="--reference"
        )
    return reference
