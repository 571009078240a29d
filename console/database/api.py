"""The endpoints of `console.database`."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
