"""The simulation: a heap of events, and the moment at which the next image can be claimed.

    an order       its images are due, and a message for each is in the queue
    a claim        when the limiter has a slot, a thread is free, a message is there, and somebody
                   stands in the line
    an end         only of images that are tried again or whose shop has a cap: nobody else waits
                   for one, so of all others it is only counted
    a sweep        rested images become due, and the queue is filled up

The event loop is our own: 7 µs an image, where simpy took 16 µs for orders, slots and threads,
and seven days of a million images are played. A test has simpy come to the same claims.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random

from benchmarks.simulation.diary import RETRY, Diary
from benchmarks.simulation.hands import Hands
from benchmarks.simulation.line import FairLine, FirstComeLine, Standing
from benchmarks.simulation.noticing import Followers
from benchmarks.simulation.slots import Slots
from benchmarks.simulation.world import Client, Order, Outside, Service
from models.lifecycle import BACKOFF_FACTOR, MAX_ATTEMPTS
from tasks.wake import LONGEST_COUNTDOWN, MOST_AT_ONCE, enough

# Its order's number, its place in that order, when it became due, how often it has failed.
Image = tuple[int, int, float, int]


class Play:
    """One run; `fair=False` puts a plain queue in the place of the service's line."""

    def __init__(
        self,
        service: Service,
        outside: Outside,
        clients: Iterable[Client],
        orders: Sequence[Order],
        *,
        seed: int = 1,
        fair: bool = True,
    ) -> None:
        self.service = service
        self.outside = outside
        self.orders = sorted(orders, key=lambda order: order.at)
        self.shops = {client.id: Standing(client) for client in clients}
        self.line: FairLine | FirstComeLine = FairLine() if fair else FirstComeLine()
        self.slots = Slots(service.limit, service.spacing)
        self.hands = Hands(service.processes, service.threads, service.claim)
        self.followers = Followers(service, outside)
        self.diary = Diary()
        self.messages = 0
        self.now = 0.0
        self._dice = Random(seed)
        self._numbers = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._ordered = 0
        self._fresh: dict[int, deque[list[int]]] = {id: deque() for id in self.shops}
        self._again: dict[int, list[Image]] = {}
        self._resting: list[tuple[float, int, int, Image]] = []

    def run(self) -> Diary:
        """Play until everything that was ordered has ended."""
        self._at(0.0, self._sweep)
        while True:
            claim, event, order = self._claim_at(), self._event_at(), self._order_at()
            soonest = min(claim, event, order)
            if soonest == inf:
                return self.diary
            self.diary.steps += 1
            # What becomes due at the very moment of a slot is there for it.
            if order == soonest:
                self._order()
            elif event == soonest:
                self.now, _number, happen = heappop(self._events)
                happen()
            else:
                self._claim(claim)

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        heappush(self._events, (moment, next(self._numbers), happen))

    def _event_at(self) -> float:
        return self._events[0][0] if self._events else inf

    def _order_at(self) -> float:
        return self.orders[self._ordered].at if self._ordered < len(self.orders) else inf

    def _claim_at(self) -> float:
        if not self.messages or not self.line.anybody:
            return inf
        return max(self.now, self.slots.free_from(), self.hands.free_from())

    def _order(self) -> None:
        order = self.orders[self._ordered]
        self._fresh[order.shop].append([self._ordered, order.images])
        self._ordered += 1
        self.now = order.at
        self._due(self.shops[order.shop], order.images)
        self.messages += min(order.images, MOST_AT_ONCE) if order.batch else order.images
        if order.batch and order.images > MOST_AT_ONCE:
            self._announce()
        self.diary.most_messages = max(self.diary.most_messages, self.messages)

    def _due(self, shop: Standing, images: int) -> None:
        self.line.add(shop, images)
        self.diary.due.append((self.now, shop.id, images))
        self.diary.most_due = max(self.diary.most_due, self.line.images)

    def _claim(self, at: float) -> None:
        self.now = at
        self.slots.take(at)
        shop = self.line.serve()
        assert shop is not None
        # The message is used up; with nothing due any more, so are all that are left.
        self.messages = self.messages - 1 if self.line.anybody else 0
        image = self._oldest(shop.id)
        order, _place, due_since, failures = image
        waited = RETRY if failures else at - due_since
        self.diary.claims.add(at, shop.id, waited, self.orders[order].batch)
        self._create(shop, image)

    def _oldest(self, shop: int) -> Image:
        """What was claimed before has a lower id than anything that was not."""
        if again := self._again.get(shop):
            return heappop(again)
        oldest = self._fresh[shop][0]
        number, left = oldest
        oldest[1] -= 1
        if left == 1:
            self._fresh[shop].popleft()
        order = self.orders[number]
        return number, order.images - left, order.at, 0

    def _create(self, shop: Standing, image: Image) -> None:
        held = self.service.claim + self.outside.create(self._dice)
        creating = self.hands.hold(self.now, self.now + held)
        ran = self.outside.predict(self._dice)
        noticed = self.followers.notice(ran)
        self.diary.creating += held
        self.diary.most_creating = max(self.diary.most_creating, creating)
        self.diary.running += ran
        self.diary.looks += noticed.looks
        fate = self._dice.random()
        if fate < self.outside.fails_later and image[3] + 1 < MAX_ATTEMPTS:
            return self._at(self.now + held + noticed.after, lambda: self._rest(shop, image))
        failed = fate < self.outside.fails_later + self.outside.fails
        self.diary.failed += failed
        settled = self.now + held + noticed.after + (0.0 if failed else self.outside.keep)
        self.diary.following += noticed.looks * self.outside.get + (
            0.0 if failed else self.outside.keep
        )
        return self._at(settled, lambda: self._settle(shop)) if shop.cap is not None else None

    def _settle(self, shop: Standing) -> None:
        """Who makes room in the line wakes somebody for it (`models.caps`)."""
        if self.line.settle(shop):
            self.messages += 1

    def _rest(self, shop: Standing, image: Image) -> None:
        """Its attempt failed: it is due again after a growing pause (`lifecycle.requeue`)."""
        number, place, due_since, failures = image
        self._settle(shop)
        self.diary.retried += 1
        pause = self.service.retry_pause * BACKOFF_FACTOR**failures
        rested = (number, place, due_since, failures + 1)
        heappush(self._resting, (self.now + pause, next(self._numbers), shop.id, rested))
        if pause <= LONGEST_COUNTDOWN:
            self._at(self.now + pause, self._announce)

    def _sweep(self) -> None:
        self._announce()
        if self._events or self._ordered < len(self.orders) or self._resting or self.line.anybody:
            self._at(self.now + self.service.sweep_interval, self._sweep)

    def _announce(self) -> None:
        """Make what has rested due, and fill the queue up (`tasks.sweep.announce`)."""
        while self._resting and self._resting[0][0] <= self.now:
            _due_at, _number, id, image = heappop(self._resting)
            heappush(self._again.setdefault(id, []), image)
            self._due(self.shops[id], 1)
        limit = self.service.limit
        wanted = enough(limit.count / limit.window, self.service.sweep_interval)
        self.messages = max(self.messages, min(self.line.images, wanted))
