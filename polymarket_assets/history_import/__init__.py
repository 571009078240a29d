"""Third-party datasets of resolved markets, brought into `history_markets`, `history_prices` and `resolutions`.

`forms/` knows the datasets, one module each; the rest is the same for all of them: `finding` recognises files,
`checking` refuses bad ones before anything is written, `taking` turns them into rows, `filing` and `labelling`
put them into the lake so that a repetition finds nothing to do. `docs/import.md` says what of each dataset becomes what.
"""
