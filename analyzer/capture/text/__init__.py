"""Text in, ``SegmentBatch`` columns out: what ``tcpdump`` and ``tshark`` print, as people paste it.

    lines -> tcpdump | packet_list | hexdump -> times, names, numbers -> SegmentBatch

* ``lines`` undoes what mail and trackers do to a line; ``hexdump`` turns rows of octets into real packets.
* ``tcpdump`` and ``packet_list`` read the lines of a packet; they keep nothing from line to line.
* ``times``, ``names`` and ``numbers`` know what earlier lines said: the day, the host behind a name, the number that
  relative ones count from.
* ``reader`` has ``TextReader``, which offers what ``capture.reader.CaptureReader`` does.

Text is read a line at a time in interpreted Python: nobody pastes ten million packets.
"""
