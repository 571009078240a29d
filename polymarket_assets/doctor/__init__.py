"""The doctor: which generation of the venue answers, what is degraded and what to do, and what recording costs.

    python -m polymarket_assets.doctor

Every endpoint is asked once, with short time-outs and no retries; a service that does not answer at all is
not asked further. Nothing is written anywhere.
"""
