"""Everything that can go wrong with the REST services. One file each; `simulator.faults` lists them beside those of the socket."""
