"""Beside Wireshark: its opinion of each frame, its display filters, and our labels in a form that it opens.

    tshark -> labels -> comparison( classes )          filters          marks -> comments -> colours

* ``tshark`` finds and runs the program; pyshark is imported there and nowhere else.
* ``frame_labels`` reads Wireshark's TCP analysis of every frame; ``comparison`` holds it against ours, and
  ``classes`` is the table of what the two may differ in, with who is right.
* ``display_filter`` asks which frames match a display filter.
* ``mark_store`` keeps what is to be said of frames, ``comments`` says it in short, and ``capture.commented`` writes the
  copy that carries it; ``colouring`` has Wireshark's colouring rules for such copies.

Wireshark is a second opinion, never an oracle. This package must not open captures itself, or know the command.
"""
