"""What an `Idempotency-Key` goes with: the hash of what was wished for."""

import hashlib
import json
from dataclasses import replace

import pytest

from models.batch_orders import BatchOrder
from models.idempotency import Wish, hash_of
from models.orders import ImageOrder, JobOrder, JobRetry

CUP = ImageOrder("cup-1", "https://shop.example/cup.jpg", "brighter")
ORDER = JobOrder("cup", "The cup", (CUP,))
# As the first version hashed an order: these fields, whatever their values.
FIRST = {
    "product_id": "cup",
    "product_name": "The cup",
    "images": [
        {
            "image_id": "cup-1",
            "image_url": "https://shop.example/cup.jpg",
            "prompt": "brighter",
            "aspect_ratio": "match_input_image",
            "output_format": "jpg",
        }
    ],
}


def test_a_key_that_was_kept_before_there_were_options_still_gives_its_answer() -> None:
    kept = hashlib.sha256(json.dumps(FIRST, sort_keys=True).encode()).hexdigest()

    assert hash_of(ORDER) == kept


@pytest.mark.parametrize(
    "other",
    [
        replace(ORDER, reuse=False),
        replace(ORDER, product_name="A cup"),
        replace(ORDER, images=(CUP, replace(CUP, image_id="cup-2"))),
        *(
            replace(ORDER, images=(replace(CUP, **changes),))
            for changes in (
                {"aspect_ratio": "1:1"},
                {"output_format": "png"},
                {"model": "google/nano-banana-pro"},
                {"resolution": "2K"},
                {"quality": 80},
                {"reference_urls": ("https://shop.example/style.jpg",)},
            )
        ),
        BatchOrder((ORDER,)),
        JobRetry(1),
    ],
    ids=lambda wish: str(wish)[-60:],
)
def test_everything_that_makes_another_wish_makes_another_hash(other: Wish) -> None:
    assert hash_of(other) != hash_of(ORDER)


def test_a_batch_is_told_by_all_of_its_jobs() -> None:
    anew = replace(ORDER, reuse=False)
    wishes = [BatchOrder(jobs) for jobs in ((ORDER,), (ORDER, ORDER), (ORDER, anew), (anew, ORDER))]

    assert len({hash_of(wish) for wish in wishes}) == 4
