"""The streamer under load: a venue that costs next to nothing, the streamer as a process, and others beside it.

    books, traffic -> venue        what the venue says, and a process that says it as fast as it is heard
    lake, processes                what a recorder needs, and what it costs
    bare, naive                    receiving and decoding alone; a recorder as one writes it in an afternoon
    suite                          the rows of the table, in one run

The streamer is a black box here: `python -m streamer run`, its `/health`, and the lake it leaves.
"""
