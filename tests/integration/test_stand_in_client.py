"""The unmodified `replicate` client, pointed at the stand-in by its base URL only."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.model import Model
from replicate.prediction import Prediction

from tests.stand_in import StandIn

MODEL = "google/nano-banana"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def stand_in(server: StandIn) -> StandIn:
    server.reset()
    return server


@pytest.fixture
def client(stand_in: StandIn) -> Iterator[Client]:
    client = Client("r8_alice", base_url=stand_in.url)
    yield client
    client._client.close()  # it has no public end, and warnings are errors


def photograph(stand_in: StandIn) -> str:
    products = httpx.get(f"{stand_in.url}/shop/products.json").json()["products"]
    url: str = products[0]["images"][0]["url"]
    return url


def create(client: Client, prompt: str = "brighter", **options: object) -> Prediction:
    return client.models.predictions.create(MODEL, input={"prompt": prompt}, **options)  # type: ignore[arg-type]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def inputs_of(model: Model) -> dict[str, Any]:
    assert model.latest_version
    schemas = model.latest_version.openapi_schema["components"]["schemas"]
    fields: dict[str, Any] = schemas["Input"]["properties"]
    return fields


def test_run_brings_a_picture_that_differs_from_its_input(
    client: Client, stand_in: StandIn
) -> None:
    url = photograph(stand_in)

    output = client.run(MODEL, input={"prompt": "black and white", "image_input": [url]})

    before, after = (httpx.get(str(one)).content for one in (url, output))
    assert opened(after).format == "JPEG"
    assert before != after


def test_an_uploaded_file_can_be_the_input_and_png_the_output(
    client: Client, stand_in: StandIn
) -> None:
    file = client.files.create(io.BytesIO(httpx.get(photograph(stand_in)).content))
    wish = {"prompt": "warmer", "image_input": [file.urls["get"]], "output_format": "png"}

    output = client.run(MODEL, input=wish)

    assert str(output).endswith("/out.png")
    assert opened(httpx.get(str(output)).content).format == "PNG"


def test_each_model_takes_what_its_own_page_says(client: Client, stand_in: StandIn) -> None:
    models = [client.models.get(f"{MODEL}{end}") for end in ("", "-pro", "-2")]
    create = client.models.predictions.create
    wish: dict[str, object] = {"prompt": "brighter", "resolution": "4K", "aspect_ratio": "1:8"}

    made = create("google/nano-banana-2", input=wish, wait=5)

    assert (made.status, made.model) == ("succeeded", "google/nano-banana-2")
    for refused in (wish, wish | {"aspect_ratio": "1:1", "resolution": "8K"}):
        with pytest.raises(ReplicateError) as caught:
            create("google/nano-banana-pro", input=refused)
        assert caught.value.status == 422
    with pytest.raises(ReplicateError, match="image_input"):
        create("google/nano-banana-pro", input={"prompt": "x", "image_input": ["http://x"] * 15})
    inputs = [inputs_of(model) for model in models]
    assert ["resolution" in each for each in inputs] == [False, True, True]
    assert [each["resolution"]["default"] for each in inputs[1:]] == ["2K", "1K"]


def test_a_prediction_goes_from_starting_to_succeeded(client: Client, stand_in: StandIn) -> None:
    stand_in.knobs(start_latency=0.1, process_latency=[0.1, 0.2])

    prediction = create(client)
    seen = [prediction.status]
    while prediction.status not in {"succeeded", "failed"}:
        prediction.reload()
        seen.append(prediction.status)

    assert list(dict.fromkeys(seen)) == ["starting", "processing", "succeeded"]
    assert prediction.started_at
    assert prediction.completed_at
    assert prediction.metrics
    assert prediction.version == "hidden"
    assert None not in (prediction.urls or {}).values()


def test_a_create_by_version_is_a_prediction_too(client: Client) -> None:
    prediction = client.predictions.create(version=MODEL, input={"prompt": "brighter"}, wait=5)

    assert prediction.status == "succeeded"


def test_waiting_returns_when_its_time_is_over(client: Client, stand_in: StandIn) -> None:
    stand_in.knobs(process_latency=30)

    prediction = create(client, wait=1)

    assert prediction.status == "processing"


def test_canceling_ends_a_prediction_and_spares_one_that_has_ended(
    client: Client, stand_in: StandIn
) -> None:
    ended = create(client, wait=5)
    stand_in.knobs(process_latency=30)
    running = create(client)

    running.cancel()
    ended.cancel()

    assert running.status == "canceled"
    assert client.predictions.get(running.id).status == "canceled"
    assert client.predictions.get(ended.id).status == "succeeded"


def test_a_failed_prediction_raises_its_text(client: Client) -> None:
    with pytest.raises(ModelError, match=r"sensitive.*E005"):
        client.run(MODEL, input={"prompt": "nicer [fail E005]"})


def test_an_image_that_cannot_be_had_fails_the_prediction(
    client: Client, stand_in: StandIn
) -> None:
    lost = f"{stand_in.url}/nothing.jpg"
    no_image = f"{stand_in.url}/shop/products.json"

    errors = []
    for url in (lost, no_image, "http://127.0.0.1:1/x.jpg", "data:image/png;base64,?", "ftp://x"):
        with pytest.raises(ModelError) as caught:
            client.run(MODEL, input={"prompt": "brighter", "image_input": [url]})
        errors.append(str(caught.value))

    assert errors[0] == f"Input validation error: 404 Client Error: Not Found for url: {lost}"
    assert errors[1] == f"Input validation error: cannot identify image file for url: {no_image}"
    assert all(error.startswith("Input validation error: ") for error in errors)


def test_predictions_are_listed_in_pages_newest_first(client: Client) -> None:
    made = [create(client).id for _ in range(101)]

    first = client.predictions.list()
    second = client.predictions.list(first.next or "")
    back = client.predictions.list(second.previous or "")

    listed = [prediction.id for page in (first, second) for prediction in page]
    assert listed == made[::-1]
    assert len(first) == 100
    assert second.next is None
    assert [one.id for one in back] == [one.id for one in first]


def test_the_list_can_be_bounded_by_time(client: Client) -> None:
    early, middle, late = (create(client) for _ in range(3))
    between = f"created_after={middle.created_at}&created_before={late.created_at}"

    page = client.predictions.list(f"/v1/predictions?{between}")

    assert [prediction.id for prediction in page] == [middle.id]
    assert early.id


def test_files_are_kept_listed_and_deleted(client: Client) -> None:
    kept = client.files.create(io.BytesIO(b"one"), filename="a.txt", metadata={"of": "Alice"})
    other = client.files.create(io.BytesIO(b"two"))

    assert client.files.get(kept.id).metadata == {"of": "Alice"}
    assert httpx.get(kept.urls["get"]).content == b"one"
    assert [file.id for file in client.files.list()] == [other.id, kept.id]
    assert client.files.delete(kept.id)
    assert [file.id for file in client.files.list()] == [other.id]
    assert httpx.get(kept.urls["get"]).status_code == 404


def test_model_account_and_webhook_secret_are_shown(client: Client) -> None:
    model = client.models.get(MODEL)

    assert (model.owner, model.name) == ("google", "nano-banana")
    assert client.accounts.current().username
    assert client.webhooks.default.secret().key.startswith("whsec_")


def test_a_stream_brings_the_output_and_then_its_end(client: Client) -> None:
    events = list(client.stream(MODEL, input={"prompt": "brighter"}, use_file_output=False))

    assert [event.event.value for event in events] == ["output", "done"]
    assert httpx.get(events[0].data).status_code == 200


def test_what_does_not_exist_is_404(client: Client) -> None:
    for call in (
        lambda: client.predictions.get("a" * 26),
        lambda: client.predictions.cancel("a" * 26),
        lambda: client.files.get("a" * 26),
        lambda: client.models.get("google/other"),
        lambda: client.models.predictions.create("google/other", input={"prompt": "x"}),
    ):
        with pytest.raises(ReplicateError) as caught:
            call()
        assert caught.value.status == 404


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x", "image_input": "http://x"}, "image_input"),
        ({"prompt": "x", "aspect_ratio": "7:1"}, "aspect_ratio"),
        ({"prompt": "x", "output_format": "gif"}, "output_format"),
    ],
)
def test_wrong_input_is_refused_and_makes_nothing(
    client: Client, stand_in: StandIn, wrong: dict[str, object], names: str
) -> None:
    with pytest.raises(ReplicateError, match=names) as caught:
        client.models.predictions.create(MODEL, input=wrong)

    assert caught.value.status == 422
    assert stand_in.creates() == []
