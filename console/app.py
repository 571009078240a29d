"""The application: pages, their parts, the API and static files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from console import charting, parts, rendering
from console.endpoints import routers
from console.guards import HEADERS, guard
from console.pages import PAGES
from console.parts import Asked, Page
from console.place import Place
from polymarket_assets.lake.errors import LakeError, NoSuchTable
from polymarket_assets.masking import masked
from polymarket_assets.settings import NotConfigured
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Unavailable, printable

# Not the question's fault.
_OURS = (Unavailable, MalformedPayload, NotConfigured, LakeError)
# Threads that make pages: more would only wait for the same two cores.
_THREADS = 8
# Its address has the release in it.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def made(place: Place) -> FastAPI:
    """The console of an installation."""
    charting.load()
    app = FastAPI(
        title="Polymarket Assets: console",
        description="The platform's data and stream, read-only. Instants are UTC.",
        docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=_few_threads,
    )  # fmt: skip
    app.state.place = place
    guard(app, place.settings)
    app.add_exception_handler(PolymarketError, _told)
    app.add_exception_handler(Exception, _broken)
    app.mount("/static", StaticFiles(directory=rendering.STATIC), name="static")
    for router in routers():
        app.include_router(router)
    _add_pages(app, place)
    return app


@asynccontextmanager
async def _few_threads(_: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


def _told(_: Request, error: Exception) -> JSONResponse:
    """What an endpoint could not give: 404 what is not there, 422 a question that cannot be answered, 503 what is away, set wrongly or damaged here."""
    status = 404 if isinstance(error, Gone | NoSuchTable) else 503 if isinstance(error, _OURS) else 422
    said = printable(masked(str(error)), parts.MOST_SAID)
    return JSONResponse({"detail": said, "again": isinstance(error, Unavailable)}, status)


def _broken(_: Request, error: Exception) -> JSONResponse:
    """A fault of ours, which the log has; it comes from outside the guard."""
    return JSONResponse({"detail": f"a fault of the console ({type(error).__name__}); its log says more", "again": True}, 500, HEADERS)  # fmt: skip


def _add_pages(app: FastAPI, place: Place) -> None:
    @app.get("/", include_in_schema=False)
    def home() -> RedirectResponse:
        return RedirectResponse(f"/{PAGES[0].name}")

    @app.get("/api", include_in_schema=False, response_class=HTMLResponse)
    def api() -> HTMLResponse:
        return HTMLResponse(rendering.api(PAGES, app.openapi()))

    @app.get("/charts-{release}.js", include_in_schema=False)
    def charts(release: str) -> Response:
        if release != charting.release():
            raise HTTPException(404)
        return Response(charting.library(), media_type="text/javascript", headers=_FOR_EVER)

    @app.get("/parts/{page}/{part}", include_in_schema=False, response_class=HTMLResponse)
    def part(page: str, part: str, request: Request) -> HTMLResponse:
        found = next((p.part(part) for p in PAGES if p.name == page), None)
        if found is None:
            raise HTTPException(404)
        blocks, at = parts.made(found, place, _asked(request))
        return HTMLResponse(rendering.part(found, blocks, at))

    for page in PAGES:
        _add_page(app, page)


def _add_page(app: FastAPI, page: Page) -> None:
    path = f"/{page.name}/{{of:path}}" if page.of else f"/{page.name}"

    def shown(request: Request, of: str = "") -> HTMLResponse:
        return HTMLResponse(rendering.page(page, PAGES, _asked(request, of)))

    app.add_api_route(path, shown, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)
    if page.of:
        app.add_api_route(f"/{page.name}", shown, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)  # fmt: skip


def _asked(request: Request, of: str = "") -> Asked:
    """The parameters of the address; `of` stands in the path of a page, and among the parameters of its parts."""
    given = dict(request.query_params)
    return Asked(of or given.get("of", ""), {name: value for name, value in given.items() if name != "of"})
