"""The forms we know. A new dataset is one module and its line here."""

from __future__ import annotations

from polymarket_assets.history_import.forms import sports_closing, us, weather
from polymarket_assets.history_import.forms.declare import Form

FORMS: dict[str, Form] = {form.name: form for form in (weather.FORM, sports_closing.FORM, us.FORM)}

__all__ = ["FORMS", "Form"]
