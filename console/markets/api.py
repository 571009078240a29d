"""The endpoints of `console.markets`."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
