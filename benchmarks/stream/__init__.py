"""The streamer under load: a venue that costs next to nothing, the streamer as a process, and others beside it.

    books, traffic -> venue        what the venue says, and a process that says it (wire, clients) as fast as it is heard
    lake, processes, recording     what a recorder needs, what it costs, and whether it has everything
    bare, naive                    receiving and decoding alone; a recorder as one writes it in an afternoon
    durable, sizes, stages         how soon on the disk, how many bytes, where the time goes (watched, profiling)
    suite                          the rows of the table, in one run

The streamer is a black box here: `python -m streamer run`, its `/health`, and the lake it leaves.
"""
