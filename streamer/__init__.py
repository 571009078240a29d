"""The recorder of the market socket: `python -m streamer run|seal|replay|status`.

    sockets -> loop -> journal -> recording -> publishing -> the lake        sealing closes hours
                 ^                                  ^
             universe, placing                  recovery

What the venue says is stamped, journalled as it came, and only then read; part files are made from what was
journalled, so a crash at any point repeats work and loses nothing. It knows nothing of who reads the lake.
Heavy imports (pyarrow, pydantic) are made where they are used: a recorder must be back within a second.
"""
