"""What can be wrong with a wish; `api/errors.py` has an answer for each."""


class DomainError(Exception):
    """A wish that cannot be granted, for a reason that its sender can understand."""


class InsufficientCredits(DomainError):
    """The job costs more than the instance has. `cost` and `balance` are credits."""

    def __init__(self, cost: int, balance: int) -> None:
        super().__init__(f"This job costs {cost} credits and the balance is {balance}.")
        self.cost = cost
        self.balance = balance


class IdempotencyKeyReused(DomainError):
    """The same `Idempotency-Key` came before with another body."""


class IdempotencyKeyInUse(DomainError):
    """A request with the same `Idempotency-Key` is still being worked on."""


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""


class InstanceDisabled(DomainError):
    """The instance may not order anything any more."""


class AlreadyExists(DomainError):
    """A name or a reference is taken."""


class ModelNotOffered(DomainError):
    """The operator has taken this model, or this resolution of it, off the list."""


class PresetExists(DomainError):
    """The instance has a preset of this name already."""


class TooManyPresets(DomainError):
    """The instance has as many presets as one may have."""
