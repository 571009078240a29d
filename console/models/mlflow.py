"""The tracking server, asked through its REST API: its client takes a hundred megabytes, of which the console has few."""

from __future__ import annotations

from typing import Any

from polymarket_assets.masking import masked
from polymarket_assets.settings import NotConfigured, Settings
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Unavailable

# It is on the same machine or next door: what does not answer in seconds is down.
_CONNECT_S, _ANSWER_S = 2.0, 5.0
# Pages of an answer: more versions than so many times the size of a page are not shown.
_PAGES, PAGE = 5, 200
_MOST_SAID = 200

Answer = dict[str, Any]


class Tracking:
    """A tracking server. Every call raises `Unavailable` where it does not answer, `Gone` where it has no such thing."""

    def __init__(self, settings: Settings) -> None:
        try:
            self._uri = settings.need_mlflow_tracking_uri().rstrip("/")
        except NotConfigured as e:
            raise Unavailable(str(e)) from e
        if not self._uri.startswith("http"):
            raise Unavailable(f"runs lie in {masked(self._uri)}; the console asks a server: start one with `make up`, and set MLFLOW_TRACKING_URI to it")  # fmt: skip

    def get(self, path: str, **asked: str | int) -> Answer:
        """What the server answers to a question."""
        return self._answer("get", path, params=asked)

    def post(self, path: str, asked: Answer) -> Answer:
        """What the server answers to a question that needs a body."""
        return self._answer("post", path, json=asked)

    def pages(self, path: str, key: str, **asked: str | int) -> list[Answer]:
        """The entries of an answer in pages, of the first ones."""
        found: list[Answer] = []
        for _ in range(_PAGES):
            answer = self.get(path, max_results=PAGE, **asked)
            found += answer.get(key, [])
            if not (token := answer.get("next_page_token")):
                break
            asked["page_token"] = token
        return found

    def _answer(self, method: str, path: str, **asked: Any) -> Answer:
        import requests

        try:
            response = requests.request(method, f"{self._uri}/api/2.0/mlflow/{path}", timeout=(_CONNECT_S, _ANSWER_S), **asked)  # fmt: skip
        except requests.RequestException as e:
            raise Unavailable(f"no tracking server answers at {masked(self._uri)}: start it with `make up`, or set MLFLOW_TRACKING_URI") from e  # fmt: skip
        try:
            found = response.json()
        except ValueError as e:
            raise Unavailable(f"what answers at {masked(self._uri)} is no tracking server (status {response.status_code})") from e  # fmt: skip
        if not isinstance(found, dict):
            raise MalformedPayload("what the tracking server answered", found, "an object is wanted")
        if not response.ok:
            raise _refusal(response.status_code, found)
        return found


def _refusal(status: int, found: Answer) -> PolymarketError:
    if found.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
        return Gone(str(found.get("message", "the tracking server has no such thing"))[:_MOST_SAID])
    return Unavailable(f"the tracking server refused (status {status}): {str(found.get('message', ''))[:_MOST_SAID]}")  # fmt: skip
