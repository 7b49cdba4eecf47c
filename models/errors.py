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


class TooManyEndpoints(DomainError):
    """The instance has as many webhook endpoints as it may."""


class EndpointDisabled(DomainError):
    """Nothing is sent to this webhook endpoint."""


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""


class InstanceDisabled(DomainError):
    """The instance may not order anything any more."""


class QueueFull(DomainError):
    """The instance would have more images waiting than its cap allows: `excess` too many."""

    def __init__(self, limit: int, waiting: int, ordered: int) -> None:
        said = f"At most {limit} of this instance's images may wait, and {waiting} do."
        never = f" An order of {ordered} never fits: send fewer at once."
        super().__init__(said + never if ordered > limit else said)
        self.limit = limit
        self.waiting = waiting
        self.excess = waiting + ordered - limit


class AlreadyExists(DomainError):
    """A name or a reference is taken."""


class UploadInUse(DomainError):
    """An order uses the upload, and shows it."""


class UnknownUpload(DomainError):
    """An order names an upload that is not its instance's own, or has just expired."""


class AlreadyFinished(DomainError):
    """What is to be canceled has ended in another way."""


class AlreadyCanceled(DomainError):
    """What is to be canceled is canceled."""


class CancelRequested(DomainError):
    """It is wanted canceled already, and Replicate has not answered yet."""


class JobUnfinished(DomainError):
    """Only a job that has ended can be retried."""


class NothingToRetry(DomainError):
    """No image of the job has failed."""


class AlreadyRetried(DomainError):
    """A job is retried once; `retried_by` is the id of the job that did."""

    def __init__(self, retried_by: int) -> None:
        super().__init__(f"This job was retried before, as job {retried_by}.")
        self.retried_by = retried_by


class ModelNotOffered(DomainError):
    """The operator has taken this model, or this resolution of it, off the list."""


class PresetExists(DomainError):
    """The instance has a preset of this name already."""


class TooManyPresets(DomainError):
    """The instance has as many presets as one may have."""
