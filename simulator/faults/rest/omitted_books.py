"""Books that are not there."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta

from simulator.chance import digest
from simulator.errors import answer
from simulator.faults.parameters import Share
from simulator.faults.rest.fault import OfRequests, Onward, RestFault, read


class Left(OfRequests, frozen=True, kw_only=True):
    share: Annotated[Share, Meta(description="of such a share of the tokens, always the same ones")] = 0.1


class OmittedBooks(RestFault[Left]):
    """Answers to batches leave out the books of some tokens, without a word."""

    name = "omitted_books"
    takes = Left

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        books = read(response)
        if not isinstance(books, list) or not request.path.endswith("/books"):
            return response
        kept = [book for book in books if not self._leaves_out(book)]
        self.withheld += len(books) - len(kept)
        return answer(kept)

    def _leaves_out(self, book: Any) -> bool:
        drawn = digest(self._seed, "fault", self.id, book["asset_id"], size=8)
        return int.from_bytes(drawn, "big") < self.given.share * 256**8
